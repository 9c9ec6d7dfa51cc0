internal import Glibc
internal import NIOCore

/// One event as inotify(7) delivers it.
struct InotifyEvent: Sendable, Hashable {
  /// -1 if events were lost.
  var watch: CInt
  var mask: UInt32
  /// The bytes of the entry's name; empty if the event is about the watched directory itself.
  var name: [UInt8]

  init(watch: CInt, mask: UInt32, name: [UInt8] = []) {
    self.watch = watch
    self.mask = mask
    self.name = name
  }

  /// Takes the next event out of what a read gave; `nil` at the end. The kernel delivers whole events only.
  init?(takenFrom buffer: inout ByteBuffer) {
    guard
      let (watch, mask, _, length) = buffer.readMultipleIntegers(
        endianness: .host, as: (CInt, UInt32, UInt32, UInt32).self),
      let padded = buffer.readBytes(length: Int(length))
    else { return nil }
    self.init(watch: watch, mask: mask, name: Array(padded.prefix { $0 != 0 }))
  }
}
