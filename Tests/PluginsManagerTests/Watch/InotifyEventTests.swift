import NIOCore
import Testing

@testable import PluginsManager

@Suite struct InotifyEventTests {
  @Test func allEventsOfAReadAreTaken() {
    var buffer = ByteBuffer()
    buffer.writeMultipleIntegers(CInt(7), UInt32(0x100), UInt32(0), UInt32(16), endianness: .host)
    buffer.writeBytes(Array("a.json".utf8) + [UInt8](repeating: 0, count: 10))
    buffer.writeMultipleIntegers(CInt(-1), UInt32(0x4000), UInt32(0), UInt32(0), endianness: .host)

    #expect(InotifyEvent(takenFrom: &buffer) == InotifyEvent(watch: 7, mask: 0x100, name: Array("a.json".utf8)))
    #expect(InotifyEvent(takenFrom: &buffer) == InotifyEvent(watch: -1, mask: 0x4000))
    #expect(InotifyEvent(takenFrom: &buffer) == nil)
  }
}
