import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import Testing

/// Causes that come from outside of the plugins.
@Suite struct OutsideFailureTests {
  private let plugins = [Plugin.named("a"), .named("b", .fail), .named("c", .fail)]

  @Test func anUnknownSubjectFailsAllPluginsOfTheHookPoint() throws {
    let rig = Rig()
    let call = rig.dispatcher.callAboutUnknown(in: Registry(plugins: plugins))
    let refusal = #expect(throws: Refusal.self) {
      try rig.dispatcher.failure(
        of: call.plugins(at: .preStartContainer), .subjectUnknown("timeout"), at: .preStartContainer, call: call)
    }
    #expect(
      refusal?.status
        == Status(
          .failedPrecondition,
          "hook server err: b: PreStartContainer: subject unknown: timeout; "
            + "c: PreStartContainer: subject unknown: timeout"))
    #expect(rig.log.lines().count == 3)
  }

  @Test func theRuntimesRefusalOfOurUpdateHasTheRuntimesCode() throws {
    let rig = Rig()
    let call = rig.dispatcher.call(about: ContainerResourceHookRequest.example, in: .empty)
    let refusal = #expect(throws: Refusal.self) {
      try rig.dispatcher.failure(
        of: plugins, .runtimeRefused(Status(.notFound, "no such container")), at: .preStartContainer, call: call)
    }
    #expect(refusal?.status.code == .notFound)
  }

  @Test func underIgnoreOrWhenExemptItIsOnlyLogged() throws {
    let rig = Rig()
    var request = ContainerResourceHookRequest.example
    let call = rig.dispatcher.call(about: request, in: .empty)
    try rig.dispatcher.failure(of: [plugins[0]], .subjectUnknown("x"), at: .preStartContainer, call: call)
    request.podMeta.namespace = "kube-system"
    let exempt = rig.dispatcher.call(about: request, in: .empty)
    try rig.dispatcher.failure(of: plugins, .subjectUnknown("x"), at: .preStartContainer, call: exempt)
    #expect(rig.dispatcher.counters.failuresIgnored == 4)
  }
}
