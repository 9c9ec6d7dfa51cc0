internal import GRPC
internal import HTTP2
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store

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
    guard CallOutcome(answer.code).isStopped(isKnown: isKnown) else {
      subject.cancel()
      server.dispatcher.callAboutUnknown(in: registry, company: company).noteRuntimeFailed(at: point)
      return answer
    }
    await postStop(point, objectID: id, answerBy: answerBy) {
      let found = await subject.next()
      if case .gone = found, let remembered { return .known(remembered) }
      return found
    }
    CrashStep.told.pass(verb)
    return answer
  }

  /// Tells the plugins at `point` that an object has been stopped.
  func postStop<About: HookRequest>(
    _ point: HookPoint, objectID: String, answerBy: ContinuousClock.Instant?,
    subject: @escaping @Sendable () async -> Subject<About>
  ) async {
    await server.dispatcher.postStop(
      point, objectID: objectID, in: registry, answerBy: answerBy, company: company, subject: subject)
    // Removed meanwhile, or before: nobody will report that again.
    if !server.store.has(objectID) { server.dispatcher.forget(objectID: objectID) }
  }
}
