internal import NIOCore

/// Turns what is read from an inotify descriptor into one call for every read that matters.
final class InotifyHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// The largest name, its terminating zero and the fixed part are 272 bytes; a read with less room for its first
  /// event fails (inotify(7)). NIO's default allocator may shrink below that.
  static let readBytes = 16 * 1024

  private let concerns: @Sendable (InotifyEvent) -> Bool
  private let changed: @Sendable () -> Void
  private let failed: @Sendable (any Error) -> Void

  /// - Parameters:
  ///   - concerns: whether an event matters.
  ///   - changed: called on the event loop, once for all events of a read.
  ///   - failed: called before the channel closes because of an error.
  init(
    concerns: @escaping @Sendable (InotifyEvent) -> Bool, changed: @escaping @Sendable () -> Void,
    failed: @escaping @Sendable (any Error) -> Void
  ) {
    self.concerns = concerns
    self.changed = changed
    self.failed = failed
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    var matters = false
    while let event = InotifyEvent(takenFrom: &buffer) {
      matters = concerns(event) || matters
    }
    if matters { changed() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failed(error)
    context.close(promise: nil)
  }
}
