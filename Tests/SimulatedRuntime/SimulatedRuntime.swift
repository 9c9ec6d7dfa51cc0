internal import HTTP2
internal import NIOCore
internal import NIOPosix

/// A runtime that answers every call at once, or a plugin that does: the far end of the bench and of the soak.
///
///     simulated-runtime <socket> [--answer-bytes <n>] [--plugin]
///     simulated-runtime <socket> [--pods <n>] [--containers <n>] [--envs <n>] [--living]
///
/// It serves until it is killed. `--answer-bytes` is the size of an answer's message, what has an answer of its own
/// excepted. With `--containers` there is something to list and to ask the (verbose) status of; with `--living`
/// life-cycle calls change it, and `GetContainerEvents` tells. `/bench.Control/Counts` says in JSON what it was asked,
/// `/bench.Control/Restart` goes away for as many milliseconds as its message says, without forgetting anything.
@main
enum SimulatedRuntime {
  static func main() throws {
    let flags = Flags(CommandLine.arguments.dropFirst())
    let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    try eventLoop.flatSubmit { Server(flags, eventLoop).serve() }.wait()
    try eventLoop.makePromise(of: Void.self).futureResult.wait()
  }
}
