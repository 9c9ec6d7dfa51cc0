internal import GRPC
internal import HTTP2
internal import PluginsManager
internal import RuntimeDispatcher

extension Exchange {
  /// Forwards a stop and tells the plugins at `point` when it has worked. Whom it is about is looked up beside
  /// the stop and never delays it; the call's answer is always the runtime's.
  ///
  /// - Parameters:
  ///   - id: The object's id.
  ///   - isKnown: The Store has its record.
  ///   - remembered: What that says. It counts if the runtime does not have the object any more.
  ///   - lookUp: Finds out about the object; has a deadline of its own.
  func forwardStop<Call: LifeCycleCall, About: HookRequest>(
    _: Call.Type, _ request: Call.Request, at point: HookPoint, id: String, isKnown: Bool, remembered: About?,
    lookUp: @escaping @Sendable () async -> Subject<About>
  ) async throws(CallEnd) -> UnaryAnswer {
    let subject = EarlySubject(on: server.group.executor, lookUp: lookUp)
    let answer: UnaryAnswer
    do throws(CallEnd) {
      answer = try await forward(Call.self, request)
    } catch {
      subject.cancel()
      throw error
    }
    guard CallOutcome(answer.status.code).isStopped(isKnown: isKnown) else {
      subject.cancel()
      return answer
    }
    await server.dispatcher.postStop(point, objectID: id, in: registry, answerBy: answerBy) {
      let found = await subject.next()
      if case .gone = found, let remembered { return .known(remembered) }
      return found
    }
    CrashStep.told.pass(verb)
    return answer
  }
}
