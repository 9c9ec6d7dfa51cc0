/// What a Post hook of a stop is about, as far as it is known.
package enum Subject<Request: HookRequest>: Sendable {
  case known(Request)
  /// The runtime says that it does not exist: nobody is told anything.
  case gone
  /// The look-up failed; the text says why.
  case unknown(String)
}
