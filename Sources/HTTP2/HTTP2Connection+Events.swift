internal import CNghttp2
internal import NIOCore

/// What nghttp2 reports, turned into events of streams. Called from the session's callbacks only, inside
/// `nghttp2_session_mem_recv` or `nghttp2_session_mem_send`: submitting is allowed here, reading and
/// writing the session is not.
extension HTTP2Connection {
  func receivedData(_ id: Int32, _ data: UnsafePointer<UInt8>, _ count: Int) {
    // The connection's window is given back on receipt: one unread stream must not stall the others.
    nghttp2_session_consume_connection(session, count)
    guard let stream = stream(id), let handler = stream.handler else {
      nghttp2_session_consume_stream(session, id, count)
      return
    }
    handler.stream(stream, receivedData: slice(data, count))
  }

  func received(_ frame: nghttp2_frame) {
    let isEnd = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch UInt32(frame.hd.type) {
    case NGHTTP2_HEADERS.rawValue:
      guard let headers = incoming.finish() else { return }
      if frame.headers.cat == NGHTTP2_HCAT_REQUEST {
        receivedRequest(frame.hd.stream_id, headers, isEnd: isEnd)
      } else if let stream = stream(frame.hd.stream_id) {
        receivedHeaders(stream, headers, isEnd: isEnd)
      }
    case NGHTTP2_DATA.rawValue:
      guard isEnd, let stream = stream(frame.hd.stream_id) else { return }
      stream.hasReceivedEnd = true
      stream.handler?.stream(stream, receivedEnd: nil)
    case NGHTTP2_PING.rawValue:
      if frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { shutdownNoticeRead() }
    case NGHTTP2_GOAWAY.rawValue:
      isGoingAway = true
      delegate?.connectionIsGoingAway(self)
    default:
      break
    }
  }

  private func receivedRequest(_ id: Int32, _ headers: HeaderBlock, isEnd: Bool) {
    let stream = HTTP2Stream(connection: self, id: id)
    stream.hasReceivedEnd = isEnd
    add(stream)
    delegate?.connection(self, opened: stream, headers: headers, endStream: isEnd)
  }

  private func receivedHeaders(_ stream: HTTP2Stream, _ headers: HeaderBlock, isEnd: Bool) {
    if role == .client, !stream.hasReceivedHeaders {
      // Informational responses come before the one that counts (RFC 9113, section 8.1).
      if !isEnd, headers.value(of: ":status")?.hasPrefix("1") == true { return }
      stream.hasReceivedHeaders = true
      stream.hasReceivedEnd = isEnd
      stream.handler?.stream(stream, receivedHeaders: headers, endStream: isEnd)
    } else if isEnd {
      stream.hasReceivedEnd = true
      stream.handler?.stream(stream, receivedEnd: headers)
    }
  }

  func sent(_ frame: nghttp2_frame) {
    let type = UInt32(frame.hd.type)
    if type == NGHTTP2_HEADERS.rawValue { unqueued(frame.headers) }
    if type == NGHTTP2_RST_STREAM.rawValue, stream(frame.hd.stream_id)?.isResetByUs != true { madeReset() }
    guard type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue,
      frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    else { return }
    stream(frame.hd.stream_id)?.endSent()
  }

  func couldNotSend(_ frame: nghttp2_frame, _ error: Int32) {
    guard UInt32(frame.hd.type) == NGHTTP2_HEADERS.rawValue else { return }
    unqueued(frame.headers)
    // Rare, and nghttp2 does not promise that it has opened a stream whose request could not leave.
    guard let stream = streams.all.first(where: { $0.id == frame.hd.stream_id }) else { return }
    if frame.headers.cat == NGHTTP2_HCAT_REQUEST {
      // The peer never heard of this stream, so it is not ours to reset.
      remove(stream)
      stream.close(error == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED.rawValue ? .refused : .reset(.internalError))
    } else {
      fail(stream, .internalError)
    }
  }

  func closed(_ id: Int32, _ code: ErrorCode) {
    guard let stream = stream(id) else { return }
    remove(stream)
    switch code {
    case .noError: stream.close(.finished)
    case .refusedStream where role == .client: stream.close(.refused)
    default: stream.close(.reset(code))
    }
  }
}
