internal import FoundationEssentials
internal import Glibc

/// Starts the program that is to take over.
package enum Program {
  /// Of the variables, those that speak of the process itself: they are the manager's words to the first one only.
  private static let ofOneProcess = [
    "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", Inheritance.variable,
  ]
  /// Above all numbers that a new process is given.
  private static let firstFree: CInt = 200

  /// A program could not be started.
  package struct StartError: Error {
    package var errno: CInt
    package var description: String { String(cString: strerror(errno)) }
  }

  /// Starts `path` with the arguments and the environment of this process, in a process group of its own.
  ///
  /// - Parameters:
  ///   - descriptors: What it is left, in the order of ``Inheritance/descriptors``; they stay open here.
  ///   - inheritance: What it is told of them.
  /// - Returns: Its process id, which is also that of its group.
  static func start(
    _ path: String, leaving descriptors: [CInt], _ inheritance: Inheritance
  ) throws(StartError) -> pid_t {
    // Moved out of the way first: a number that is given must not be one that is still needed.
    let copies = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, firstFree) }
    defer { copies.forEach { close($0) } }
    guard !copies.contains(-1) else { throw StartError(errno: errno) }
    return try spawn(path, moving: Array(zip(copies, inheritance.descriptors)), inheritance)
  }

  /// The first of two stages: starts this program again, with all that it was left, and ends.
  package static func startAgain(_ inheritance: Inheritance) -> Never {
    var second = inheritance
    second.isFirstStage = false
    closeAll(except: inheritance.descriptors)
    do throws(StartError) {
      _ = try spawn("/proc/self/exe", moving: [], second)
      exit(0)
    } catch {
      exit(1)
    }
  }

  /// SwiftNIO's sockets are not close-on-exec. A connection of the old process that stayed open in the new one would not
  /// be closed when the old one closes it.
  private static func closeAll(except kept: [CInt]) {
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for descriptor in open.compactMap({ CInt($0) }) where descriptor > STDERR_FILENO && !kept.contains(descriptor) {
      close(descriptor)
    }
  }

  private static func spawn(
    _ path: String, moving descriptors: [(from: CInt, to: CInt)], _ inheritance: Inheritance
  ) throws(StartError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (from, to) in descriptors { posix_spawn_file_actions_adddup2(&actions, from, to) }
    var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
    // The second stage stays in the group of the first, by which both can be ended.
    if inheritance.isFirstStage { flags |= POSIX_SPAWN_SETPGROUP }
    posix_spawnattr_setflags(&attributes, Int16(flags))
    // An ignored signal would stay ignored.
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)

    let name = descriptors.isEmpty ? CommandLine.arguments[0] : path
    var arguments = ([name] + CommandLine.arguments.dropFirst()).map { strdup($0) } + [nil]
    var variables = environment(inheritance).map { strdup($0) } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var process = pid_t()
    let failure = posix_spawn(&process, path, &actions, &attributes, &arguments, &variables)
    guard failure == 0 else { throw StartError(errno: failure) }
    return process
  }

  private static func environment(_ inheritance: Inheritance) -> [String] {
    var variables: [String] = []
    var next = environ
    while let variable = next.pointee {
      variables.append(String(cString: variable))
      next += 1
    }
    variables.removeAll { variable in ofOneProcess.contains { variable.hasPrefix("\($0)=") } }
    return variables + ["\(Inheritance.variable)=\(inheritance.text)"]
  }
}
