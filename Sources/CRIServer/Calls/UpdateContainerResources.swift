internal import CRIMessages
internal import GRPC
internal import HookMessages
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

/// PreUpdateContainerResources. The runtime gets what kubelet asked plus what plugins changed; plugins see the
/// container's full accumulated resources.
enum UpdateContainerResources: LifeCycleCall {
  static func record(_ request: CRIUpdateContainerResourcesRequest) -> RecordID? { .container(request.containerID) }

  static func commit(
    _ request: CRIUpdateContainerResourcesRequest, _ answer: Google_Protobuf_Empty, _ outcome: CallOutcome,
    to store: Store
  ) {
    switch outcome {
    case .succeeded:
      store.updateContainer(
        request.containerID, resources: LinuxContainerResources(request.linux), annotations: request.annotations)
    case .notFound, .refused, .unknown: break
    }
  }

  static func run(
    _ request: CRIUpdateContainerResourcesRequest, in exchange: Exchange
  ) async throws(CallEnd) -> UnaryAnswer {
    guard var container = try await exchange.container(request.containerID, at: [.preUpdateContainerResources]) else {
      return try await exchange.forward(Self.self, request)
    }
    container.overlay(request)
    var call = exchange.server.dispatcher.call(about: container, in: exchange.registry, company: exchange.company)
    let changes = try await exchange.pre(.preUpdateContainerResources, &container, &call)
    var request = request
    request.apply(changes)
    return try await exchange.forward(Self.self, request, isChanged: !changes.isEmpty)
  }
}
