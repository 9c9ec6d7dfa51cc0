internal import Glibc

/// The descriptors that a process leaves to the one that it starts, which learns their numbers from its environment.
package struct Inheritance: Sendable, Hashable {
  /// The variable.
  package static let variable = "RUNTIME_MANAGER_INHERITS"
  /// The first number that is used; what is below is standard input, output and error.
  static let firstDescriptor: CInt = 3

  /// To the process that leaves them.
  package var link: CInt
  /// The socket that kubelet dials, its lock, and the socket of `runtime-manager upgrade`.
  package var socket: CInt
  package var lock: CInt
  package var control: CInt
  /// The socket is the service manager's.
  package var isActivated: Bool
  /// Links to old processes that have not ended yet.
  package var predecessors: [CInt]
  /// This process is to start the same program once more and to end, so that the one that stays is a child of the service
  /// manager, which then hears of its end.
  package var isFirstStage: Bool

  package init(
    link: CInt, socket: CInt, lock: CInt, control: CInt, isActivated: Bool, predecessors: [CInt], isFirstStage: Bool
  ) {
    self.link = link
    self.socket = socket
    self.lock = lock
    self.control = control
    self.isActivated = isActivated
    self.predecessors = predecessors
    self.isFirstStage = isFirstStage
  }

  /// Numbers as the next process has them, in the order of ``descriptors``.
  init(isActivated: Bool, predecessors: Int, isFirstStage: Bool) {
    let first = Self.firstDescriptor
    self.init(
      link: first, socket: first + 1, lock: first + 2, control: first + 3, isActivated: isActivated,
      predecessors: (0..<CInt(predecessors)).map { first + 4 + $0 }, isFirstStage: isFirstStage)
  }

  var descriptors: [CInt] { [link, socket, lock, control] + predecessors }

  /// The variable's value: numbers, with a comma between. The two flags come first.
  package var text: String {
    ([isFirstStage ? 1 : 0, isActivated ? 1 : 0] + descriptors).map { String($0) }.joined(separator: ",")
  }

  /// - Returns: Nil for anything that ``text`` does not give.
  package init?(text: String) {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { CInt($0) }
    guard numbers.count >= 6, !numbers.contains(nil) else { return nil }
    let known = numbers.compactMap(\.self)
    guard known[..<2].allSatisfy({ $0 == 0 || $0 == 1 }), known[2...].allSatisfy({ $0 >= Self.firstDescriptor }),
      Set(known[2...]).count == known.count - 2, known.count - 6 <= HandoverLimits.oldProcesses
    else { return nil }
    self.init(
      link: known[2], socket: known[3], lock: known[4], control: known[5], isActivated: known[1] == 1,
      predecessors: Array(known[6...]), isFirstStage: known[0] == 1)
  }

  /// What this process was left, if it was started by one that gives its place to it.
  package static func ofEnvironment() -> Inheritance? {
    getenv(variable).flatMap { Inheritance(text: String(cString: $0)) }
  }

  /// The same, for the process that uses it: it leaves the environment, and the descriptors are close-on-exec from now on.
  package static func take() -> Inheritance? {
    let inheritance = ofEnvironment()
    unsetenv(variable)
    for descriptor in inheritance?.descriptors ?? [] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return inheritance
  }
}
