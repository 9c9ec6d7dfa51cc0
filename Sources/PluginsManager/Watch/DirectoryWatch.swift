internal import Glibc
package import Logging
package import NIOCore
internal import NIOPosix

/// Tells that something in a directory changed, whether the directory exists yet or not.
///
/// ```swift
/// try await DirectoryWatch.watching("/etc/runtime/hookserver.d", on: eventLoop, logger: logger) { changes in
///   for await _ in changes { /* look at the directory */ }
/// }
/// ```
///
/// The first element comes at once. Each further one says that since the one before there was a change of the
/// directory, of an entry in it (created, removed, renamed, written, its mode or owner changed), or of the way to it:
/// a missing directory created, an existing one removed, moved, or replaced by another through a link. Changes
/// that happen before the next element is asked for are one element. Nothing is missed: what a look after an element
/// does not see yet makes another element. Not seen is what only a link in the directory leads to.
///
/// Besides, an element comes whenever ``interval`` has passed, for what inotify cannot see: mounts, such link
/// targets, or everything when the kernel has no inotify instance or watch left (logged; never an error).
///
/// Where the path is that of a file or a socket, only it matters: created, removed, or replaced. What happens beside
/// it is not told.
///
/// At most one task may iterate, and once.
package struct DirectoryWatch: AsyncSequence, Sendable {
  package typealias Element = Void

  private let signals: AsyncStream<Void>
  /// `nil` if there is no inotify instance.
  private let watches: PathWatches?
  private let logger: Logger

  /// Watches while `body` runs.
  ///
  /// - Parameters:
  ///   - path: absolute; may lead through links.
  ///   - eventLoop: where inotify's descriptor is read; one of NIOPosix.
  ///   - interval: the longest time without an element; default 10 s.
  package static func watching<Outcome>(
    _ path: String, on eventLoop: any EventLoop, atLeastEvery interval: Duration = .seconds(10), logger: Logger,
    _ body: (DirectoryWatch) async throws -> Outcome
  ) async throws -> Outcome {
    let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    signal.yield()
    let interval = TimeAmount(interval)
    let ticks = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in signal.yield() }
    defer { ticks.cancel() }

    let watches: PathWatches
    let channel: any Channel
    do {
      let inotify = try Inotify()
      watches = PathWatches(path: path, inotify: inotify)
      channel = try await open(inotify, on: eventLoop, for: watches, signal: signal, path: path, logger: logger)
    } catch {
      logger.warning("\(path): cannot be watched, is looked at every \(interval) instead: \(error)")
      return try await body(DirectoryWatch(signals: signals, watches: nil, logger: logger))
    }
    do {
      let outcome = try await body(DirectoryWatch(signals: signals, watches: watches, logger: logger))
      try? await channel.close()
      return outcome
    } catch {
      try? await channel.close()
      throw error
    }
  }

  private static func open(
    _ inotify: Inotify, on eventLoop: any EventLoop, for watches: PathWatches,
    signal: AsyncStream<Void>.Continuation, path: String, logger: Logger
  ) async throws -> any Channel {
    let descriptor = try inotify.descriptorForReading()
    do {
      return try await NIOPipeBootstrap(group: eventLoop)
        .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: InotifyHandler.readBytes))
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
              InotifyHandler(
                concerns: { watches.concerns($0) },
                changed: { signal.yield() },
                failed: { logger.warning("\(path): is no longer watched, only looked at now and then: \($0)") }))
          }
        }
        .takingOwnershipOfDescriptor(input: descriptor)
        .get()
    } catch {
      _ = Glibc.close(descriptor)
      throw error
    }
  }

  package func makeAsyncIterator() -> Iterator {
    Iterator(signals: signals.makeAsyncIterator(), watches: watches, logger: logger)
  }

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate var signals: AsyncStream<Void>.Iterator
    fileprivate let watches: PathWatches?
    fileprivate let logger: Logger
    fileprivate var unwatched: [String: SystemError] = [:]

    fileprivate init(signals: AsyncStream<Void>.Iterator, watches: PathWatches?, logger: Logger) {
      self.signals = signals
      self.watches = watches
      self.logger = logger
    }

    /// `nil` when the task is cancelled.
    package mutating func next() async -> Void? {
      guard await signals.next(isolation: #isolation) != nil else { return nil }
      guard let watches else { return () }
      let unwatched = await Self.renew(watches)
      if unwatched != self.unwatched {
        self.unwatched = unwatched
        for (directory, error) in unwatched {
          logger.warning("\(directory): cannot be watched, changes are seen late: \(error)")
        }
      }
      return ()
    }

    /// Off the caller's executor, which may be an event loop: this is disk I/O.
    @concurrent private static func renew(_ watches: PathWatches) async -> [String: SystemError] {
      watches.renew()
    }
  }
}
