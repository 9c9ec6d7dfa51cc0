internal import Glibc
internal import HandoverMessages
internal import NIOCore
internal import SwiftProtobuf

/// One upgrade that was asked for. Confined to the event loop.
final class Attempt {
  let link: Link
  /// The first stage, and the group of both.
  let child: pid_t
  /// The new process, once it has said so.
  var newProcess: pid_t?
  /// As the new process has been left them.
  let predecessors: [CInt]
  var limit: Scheduled<Void>?
  private let requester: Link

  init(link: Link, child: pid_t, predecessors: [CInt], requester: Link) {
    self.link = link
    self.child = child
    self.predecessors = predecessors
    self.requester = requester
  }

  /// Tells who asked for it how it ended.
  func answer(_ outcome: HandoverUpgradeAnswer.Outcome, _ text: String, calls: Int = 0) {
    limit?.cancel()
    requester.send(
      .answer(
        .with {
          $0.outcome = outcome
          $0.text = text
          $0.newProcess = newProcess ?? 0
          $0.oldProcess = getpid()
          $0.calls = UInt32(clamping: calls)
        }))
  }

  /// How the first process that was started has ended; nil if it has not, or as it should.
  func failure() -> String? {
    var status: CInt = 0
    guard waitpid(child, &status, WNOHANG) == child else { return nil }
    let signal = status & 0x7f
    if signal != 0 { return "it was ended by signal \(signal)" }
    let code = (status >> 8) & 0xff
    return code == 0 ? nil : "its exit code was \(code)"
  }

  /// Ends the new process, whatever it is doing.
  func end() {
    kill(-child, SIGKILL)
    link.close()
    reap()
  }

  /// The first stage has ended long ago, unless the program is another one.
  func reap() { waitpid(child, nil, WNOHANG) }
}
