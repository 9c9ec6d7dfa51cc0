package import NIOCore

/// The sizes and guards of every connection (design, "The wire"; notes on nghttp2).
package enum HTTP2Limits {
  /// Flow-control window of a stream, bytes: the most that one unread stream holds here.
  static let streamWindowBytes: Int32 = 1 << 20
  /// Flow-control window of a connection, bytes.
  static let connectionWindowBytes: Int32 = 4 << 20
  /// SETTINGS_MAX_CONCURRENT_STREAMS that a client is given.
  static let maxConcurrentStreams: UInt32 = 1000
  /// Sum of names, values and `fieldOverheadBytes` a field of one header block, in both directions.
  static let maxHeaderListBytes = 1 << 20
  /// What a field counts beside its name and value (RFC 9113, section 6.5.2).
  static let fieldOverheadBytes = 32
  /// The part of a header list that every call may have beside its message.
  static let ordinaryHeaderListBytes = 8 << 10
  /// Header blocks larger than nghttp2's default of 64 KiB must pass.
  static let maxSendHeaderBlockBytes = 1 << 20
  /// Such a list comes in up to 64 frames of 16 KiB (nghttp2 counts one that arrives in two reads twice); its default
  /// of 8 ends at 144 KiB.
  static let maxContinuations = 80
  /// grpc-go sends a PING with nearly every DATA: queued acknowledgements are no flood until far beyond that.
  static let maxOutboundAcks = 20_000
  /// RST_STREAM a client may send at once, and per second: a kubelet that cancels everything stays far below.
  static let streamResetBurst: UInt64 = 20_000
  static let streamResetsPerSecond: UInt64 = 2_000
  /// How long acknowledgements wait for a frame to leave with, and how much of them may (15 PINGs').
  static let holdAcknowledgements = TimeAmount.milliseconds(1)
  static let heldBytes = 255
  /// Stream errors of a client, which are resets that it makes us send, at once and per second.
  static let streamErrorBurst = 1_000
  static let streamErrorsPerSecond = 100
  /// Frames that wait for a peer that does not read: beyond it, the connection is closed.
  static let queuedFrames = 32_000
  /// Header lists that wait for such a peer, bytes: beyond it, the connection takes no more.
  static let queuedHeaderBytes = 16 << 20
  /// How long a connection that is over waits for its client to have read everything and to close it.
  package static let lingering = TimeAmount.seconds(5)
  /// DATA below this size is copied into the buffer of small frames: cheaper than another iovec.
  static let copyBelowBytes = 8 << 10
  /// A write is handed to the channel when this much has been collected.
  static let writeChunkBytes = 64 << 10
  /// What all connections of an event loop may buffer before the stream unread longest is reset.
  package static let bufferedBytes = 32 << 20
}
