internal import CRIMessages
internal import GRPC
internal import HookMessages
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

/// PreStartContainer and PostStartContainer.
///
/// StartContainer carries nothing but an id: resources that a plugin changes are brought to the runtime by one
/// UpdateContainerResources of our own, before or after the start; annotations go to the Store.
enum StartContainer: LifeCycleCall {
  /// What a container gets to stop in when PostStartContainer fails under Fail, seconds, and what the stop may
  /// take in all.
  private static let stopTimeoutSeconds: Int64 = 2
  private static let stopDeadline: Duration = .seconds(30)

  typealias Answer = Google_Protobuf_Empty

  static func record(_ request: CRIStartContainerRequest) -> RecordID? { .container(request.containerID) }

  static func run(
    _ request: CRIStartContainerRequest, in exchange: Exchange
  ) async throws(CallEnd) -> UnaryAnswer {
    let id = request.containerID
    guard var container = try await exchange.container(id, at: [.preStartContainer, .postStartContainer]) else {
      return try await exchange.forward(Self.self, request)
    }
    var call = exchange.server.dispatcher.call(about: container, in: exchange.registry, company: exchange.company)
    let annotations: [String: String]
    do throws(Refusal) {
      annotations = try await pre(&container, &call, id, exchange)
    } catch { throw CallEnd(error) }

    let answer = try await exchange.forward(Self.self, request)
    guard answer.code == .ok else {
      call.noteRuntimeFailed(at: .postStartContainer)
      return answer
    }
    exchange.server.store.updateContainer(id, annotations: annotations)
    do throws(Refusal) {
      try await post(&container, &call, id, exchange)
    } catch {
      CrashStep.refused.pass(exchange.verb)
      await stop(id, exchange)
      throw CallEnd(error)
    }
    return answer
  }

  /// - Returns: The annotations that plugins changed.
  private static func pre(
    _ container: inout ContainerResourceHookRequest, _ call: inout HookedCall, _ id: String, _ exchange: Exchange
  ) async throws(Refusal) -> [String: String] {
    CrashStep.known.pass(exchange.verb)
    let before = container
    let made = try await exchange.server.dispatcher.pre(
      .preStartContainer, &container, call: &call, deadline: exchange.preDeadline)
    if try await !update(id, made, at: .preStartContainer, call, exchange) {
      // Not in force, so nobody is told later that they were.
      container.containerResources = before.containerResources
    }
    CrashStep.updatedBefore.pass(exchange.verb)
    return made.map(\.change).annotations
  }

  private static func post(
    _ container: inout ContainerResourceHookRequest, _ call: inout HookedCall, _ id: String, _ exchange: Exchange
  ) async throws(Refusal) {
    let made = try await exchange.server.dispatcher.postStart(
      &container, call: &call, deadline: exchange.answerBy)
    CrashStep.told.pass(exchange.verb)
    _ = try await update(id, made, at: .postStartContainer, call, exchange)
    CrashStep.updatedAfter.pass(exchange.verb)
    exchange.server.store.updateContainer(id, annotations: made.map(\.change).annotations)
  }

  /// Brings changed resources to the runtime. Its failure is the failure of the plugins that asked for them.
  ///
  /// - Returns: They are in force, or there were none.
  private static func update(
    _ id: String, _ made: [OwnedChange], at point: HookPoint, _ call: HookedCall, _ exchange: Exchange
  ) async throws(Refusal) -> Bool {
    guard let update = CRIUpdateContainerResourcesRequest(made.map(\.change), containerID: id) else { return true }
    var outcome = CallOutcome.unknown
    var status: Status
    do throws(CallEnd) {
      status = try await exchange.ask(.updateContainerResources, update, deadline: exchange.deadline).status
      outcome = CallOutcome(status.code)
    } catch {
      status = error.asStatus
    }
    UpdateContainerResources.settle(update, Google_Protobuf_Empty(), outcome, to: exchange.server.store)
    guard outcome != .succeeded else { return true }
    let asking = Set(made.filter(\.change.field.isResource).map(\.plugin))
    try exchange.server.dispatcher.failure(
      of: asking.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }, .runtimeRefused(status), at: point,
      call: call)
    return false
  }

  /// The container runs and must not: stops it, with the hooks of a stop.
  private static func stop(_ id: String, _ exchange: Exchange) async {
    let request = CRIStopContainerRequest.with {
      $0.containerID = id
      $0.timeout = stopTimeoutSeconds
    }
    let deadline = exchange.server.clock.now + stopDeadline
    do throws(CallEnd) {
      let status = try await exchange.ask(.stopContainer, request, deadline: deadline).status
      CrashStep.stopped.pass(exchange.verb)
      let outcome = CallOutcome(status.code)
      StopContainer.settle(request, Google_Protobuf_Empty(), outcome, to: exchange.server.store)
      guard outcome.isStopped(isKnown: true) else { return exchange.server.couldNotStop(id, status) }
      let lookup = exchange.server.lookup
      await exchange.postStop(.postStopContainer, objectID: id, answerBy: deadline) {
        Subject(await lookup.container(id), \.hookRequest)
      }
    } catch {
      StopContainer.settle(request, Google_Protobuf_Empty(), .unknown, to: exchange.server.store)
      exchange.server.couldNotStop(id, error.asStatus)
    }
  }
}

extension [Change] {
  /// The annotations among the changes.
  fileprivate var annotations: [String: String] {
    var annotations: [String: String] = [:]
    for change in self {
      if case .annotation(let key) = change.field, case .text(let value) = change.value { annotations[key] = value }
    }
    return annotations
  }
}
