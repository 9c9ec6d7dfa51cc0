internal import Glibc

/// A failed system call's `errno`.
struct SystemError: Error, Hashable, CustomStringConvertible {
  let code: CInt

  /// To be called before anything else can touch `errno`.
  static var last: SystemError { SystemError(code: errno) }

  var description: String { String(cString: strerror(code)) }
}
