internal import CNghttp2

/// The C side: how an nghttp2 session is made, asked to send, and what its callbacks do.
///
/// A session's `user_data` is its ``HTTP2Connection`` and a stream's user data its ``HTTP2Stream``, both
/// unretained: the connection owns the session and deletes it last, and keeps every stream in `streams`
/// until nghttp2 has closed it or no longer knows it.
enum Session {
  static func make(_ role: HTTP2Connection.Role) -> OpaquePointer {
    var session: OpaquePointer?
    switch role {
    case .server: nghttp2_session_server_new2(&session, callbacks, nil, options)
    case .client: nghttp2_session_client_new2(&session, callbacks, nil, options)
    }
    guard let session else { preconditionFailure("nghttp2 found no memory for a session") }
    var settings = [
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(HTTP2Limits.streamWindowBytes)),
      entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP2Limits.maxConcurrentStreams),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(HTTP2Limits.maxHeaderListBytes)),
    ]
    if role == .client { settings.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)) }
    nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
    nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, HTTP2Limits.connectionWindowBytes)
    return session
  }

  private static func entry(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
    nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
  }

  /// - Returns: The new stream's id; nil if ids are used up or memory is.
  static func submitRequest(
    _ session: OpaquePointer, _ headers: HeaderBlock, _ stream: HTTP2Stream, endStream: Bool
  ) -> Int32? {
    let pointer = Unmanaged.passUnretained(stream).toOpaque()
    var provider = nghttp2_data_provider(source: .init(ptr: pointer), read_callback: readData)
    let id = headers.fields.withUnsafeBufferPointer { fields in
      endStream
        ? nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, nil, pointer)
        : nghttp2_submit_request(session, nil, fields.baseAddress, fields.count, &provider, pointer)
    }
    return id > 0 ? id : nil
  }

  static func submitResponse(
    _ session: OpaquePointer, _ headers: HeaderBlock, _ stream: HTTP2Stream, endStream: Bool
  ) -> Bool {
    var provider = nghttp2_data_provider(
      source: .init(ptr: Unmanaged.passUnretained(stream).toOpaque()), read_callback: readData)
    return headers.fields.withUnsafeBufferPointer { fields in
      endStream
        ? nghttp2_submit_response(session, stream.id, fields.baseAddress, fields.count, nil)
        : nghttp2_submit_response(session, stream.id, fields.baseAddress, fields.count, &provider)
    } == 0
  }

  /// nghttp2 has room for DATA: says how much there is, and submits the trailer section behind the last.
  private static let readData: nghttp2_data_source_read_callback = { session, _, _, limit, flags, source, _ in
    guard let flags, let pointer = source?.pointee.ptr else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
    let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
    switch stream.nextData(limit: limit) {
    case .none:
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    case .bytes(let count, let isLast):
      if count > 0 { flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
      guard isLast else { return count }
      flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if let trailers = stream.takeTrailers() {
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        let submitted = trailers.fields.withUnsafeBufferPointer {
          nghttp2_submit_trailer(session, stream.id, $0.baseAddress, $0.count)
        }
        if submitted != 0 { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        stream.connection?.queued(trailers)
      }
      return count
    }
  }

  /// Whether a frame acknowledges a PING or SETTINGS (RFC 9113, sections 4.1, 6.5 and 6.7).
  ///
  /// - Parameter frame: Of at least five bytes, as every frame and the client's preface is.
  static func isAcknowledgement(_ frame: UnsafeRawBufferPointer) -> Bool {
    let (type, flags) = (frame[3], frame[4])
    return (type == UInt8(NGHTTP2_PING.rawValue) || type == UInt8(NGHTTP2_SETTINGS.rawValue))
      && flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
  }

  // Made once, never changed afterwards, and nghttp2 only reads it: safe from every thread.
  nonisolated(unsafe) private static let options: OpaquePointer? = {
    var options: OpaquePointer?
    nghttp2_option_new(&options)
    nghttp2_option_set_no_auto_window_update(options, 1)
    nghttp2_option_set_no_closed_streams(options, 1)
    // A grpc-message may end in a space; whether that is right is between the two ends.
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(options, 1)
    nghttp2_option_set_max_send_header_block_length(options, HTTP2Limits.maxSendHeaderBlockBytes)
    nghttp2_option_set_max_continuations(options, HTTP2Limits.maxContinuations)
    nghttp2_option_set_max_outbound_ack(options, HTTP2Limits.maxOutboundAcks)
    nghttp2_option_set_stream_reset_rate_limit(
      options, HTTP2Limits.streamResetBurst, HTTP2Limits.streamResetsPerSecond)
    return options
  }()

  // Made once, never changed afterwards, and nghttp2 only reads it: safe from every thread.
  nonisolated(unsafe) private static let callbacks: OpaquePointer? = {
    var callbacks: OpaquePointer?
    nghttp2_session_callbacks_new(&callbacks)
    nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, frameHeader, count, source, userData in
      guard let frameHeader, let pointer = source?.pointee.ptr else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
      return withConnection(userData, or: NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) { connection in
        let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
        connection.writeData(stream, frameHeader: frameHeader, count: count)
        return 0
      }
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, _, userData in
      withConnection(userData, or: 0) {
        $0.incoming.begin()
        return 0
      }
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, _, name, nameCount, value, valueCount, flags, userData in
      withConnection(userData, or: NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) { connection in
        let name = UnsafeBufferPointer(start: name, count: nameCount)
        let value = UnsafeBufferPointer(start: value, count: valueCount)
        return connection.incoming.append(name, value, flags: flags)
          ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
      }
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, count, userData in
      withConnection(userData, or: 0) { connection in
        if let data { connection.receivedData(id, data, count) }
        return 0
      }
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
      withConnection(userData, or: 0) { connection in
        if let frame { connection.received(frame.pointee) }
        return 0
      }
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, userData in
      withConnection(userData, or: 0) { connection in
        if let frame { connection.sent(frame.pointee) }
        return 0
      }
    }
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, error, userData in
      withConnection(userData, or: 0) { connection in
        if let frame { connection.couldNotSend(frame.pointee, error) }
        return 0
      }
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, userData in
      withConnection(userData, or: 0) { connection in
        connection.closed(id, ErrorCode(rawValue: code))
        return 0
      }
    }
    return callbacks
  }()

  /// Calls `body` with the session's connection, which whoever runs the session holds: a callback is called for each field of
  /// a header block, and a retain and release of its own would be a good part of what it costs.
  private static func withConnection(
    _ userData: UnsafeMutableRawPointer?, or failure: Int32, _ body: (HTTP2Connection) -> Int32
  ) -> Int32 {
    guard let userData else { return failure }
    return Unmanaged<HTTP2Connection>.fromOpaque(userData)._withUnsafeGuaranteedRef(body)
  }
}
