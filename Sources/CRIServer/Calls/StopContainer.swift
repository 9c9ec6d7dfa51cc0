internal import Accounts
internal import CRIMessages
internal import GRPC
internal import HookMessages
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

/// PostStopContainer. The record stays until the container is removed.
enum StopContainer: LifeCycleCall {
  typealias Answer = Google_Protobuf_Empty

  static func record(_ request: CRIStopContainerRequest) -> RecordID? { .container(request.containerID) }

  static func run(
    _ request: CRIStopContainerRequest, in exchange: Exchange
  ) async throws(CallEnd) -> UnaryAnswer {
    let id = request.containerID
    let (lookup, store) = (exchange.server.lookup, exchange.server.store)
    let known = store.container(id)
    if let known { exchange.account.note(podSandboxID: known.podSandboxID) }
    return try await exchange.forwardStop(
      Self.self, request, at: .postStopContainer, id: id, isKnown: known != nil,
      remembered: store.hookRequest(ofContainer: id)
    ) { Subject(await lookup.container(id), \.hookRequest) }
  }
}
