internal import Glibc
internal import HandoverMessages
internal import NIOCore
internal import NIOPosix

/// A connection to another RuntimeManager, or to `runtime-manager upgrade`: frames both ways. Confined to its event loop.
final class Link: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Called with each frame.
  var whenFrame: (HandoverFrame.OneOf_Content) -> Void = { _ in }
  /// Called once, when the other side is gone or says what cannot be read.
  var whenEnded: () -> Void = {}
  private var buffer: FrameBuffer
  private var channel: (any Channel)?
  private var isPaused = false
  /// Closed from here: nobody is told anything.
  private var isOver = false

  private init(_ buffer: FrameBuffer) { self.buffer = buffer }

  /// - Parameters:
  ///   - descriptor: A connected stream socket, which belongs to the link from now on.
  ///   - unread: What somebody else has read from it.
  static func connected(
    _ descriptor: CInt, unread: [UInt8] = [], on eventLoop: any EventLoop
  ) async throws -> Link {
    var buffer = FrameBuffer()
    buffer.append(ByteBuffer(bytes: unread))
    let link = NIOLoopBound(Link(buffer), eventLoop: eventLoop)
    link.value.isPaused = true
    let channel = try await ClientBootstrap(group: eventLoop)
      .channelOption(.autoRead, value: false)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(link.value) }
      }
      .withConnectedSocket(descriptor).get()
    link.value.channel = channel
    return link.value
  }

  /// A link over a channel that was accepted.
  static func accepted(_ channel: any Channel) throws -> Link {
    let link = Link(FrameBuffer())
    link.channel = channel
    try channel.pipeline.syncOperations.addHandler(link)
    return link
  }

  func send(_ content: HandoverFrame.OneOf_Content) {
    guard !isOver else { return }
    channel?.writeAndFlush(FrameBuffer.bytes(content), promise: nil)
  }

  /// Sends what is sent before anything else is done, and returns when the kernel has it, or the other side is gone.
  func flush() async {
    try? await channel?.writeAndFlush(ByteBuffer())
  }

  func close() {
    isOver = true
    channel?.close(promise: nil)
  }

  /// Reads no more.
  ///
  /// - Returns: What was read and makes no frame yet, for whoever reads on.
  func pause() -> [UInt8] {
    isPaused = true
    setAutoRead(false)
    return buffer.rest
  }

  /// Reads, at first or again.
  func proceed() {
    isPaused = false
    setAutoRead(true)
    channel?.read()
    deliver()
  }

  private func setAutoRead(_ value: Bool) {
    // On its own event loop it is done at once.
    _ = channel?.setOption(.autoRead, value: value)
  }

  private func deliver() {
    while !isPaused, !isOver {
      do throws(FrameBuffer.Malformed) {
        guard let frame = try buffer.next() else { return }
        if let content = frame.content { whenFrame(content) }
      } catch {
        close()
        whenEnded()
      }
    }
  }

  // MARK: Channel

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    buffer.append(unwrapInboundIn(data))
    deliver()
  }

  func channelInactive(context: ChannelHandlerContext) {
    // What it said before its end counts, whoever was to read it.
    isPaused = false
    deliver()
    guard !isOver else { return }
    isOver = true
    whenEnded()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
