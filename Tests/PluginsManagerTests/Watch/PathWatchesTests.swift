import Glibc
import Testing

@testable import PluginsManager

@Suite struct PathWatchesTests {
  @Test func lostEventsAndUnknownWatchesMatterAndDroppedWatchesDoNot() throws {
    let watches = PathWatches(path: "/", inotify: try Inotify())
    #expect(watches.renew().isEmpty)
    #expect(watches.concerns(InotifyEvent(watch: -1, mask: UInt32(IN_Q_OVERFLOW))))
    #expect(watches.concerns(InotifyEvent(watch: 99, mask: UInt32(IN_CREATE), name: [1])))
    #expect(!watches.concerns(InotifyEvent(watch: 1, mask: UInt32(IN_IGNORED))))
  }

  @Test func onTheWayOnlyTheNextNameMatters() throws {
    let root = try TemporaryDirectory()
    let watches = PathWatches(path: "\(root.path)/a", inotify: try Inotify())
    #expect(watches.renew().isEmpty)
    // Watches are numbered from 1 in the order of the walk: "/", "/tmp", the test's own directory.
    let created = UInt32(IN_CREATE)
    #expect(!watches.concerns(InotifyEvent(watch: 3, mask: created, name: Array("b".utf8))))
    #expect(watches.concerns(InotifyEvent(watch: 3, mask: created, name: Array("a".utf8))))
    #expect(watches.concerns(InotifyEvent(watch: 3, mask: UInt32(IN_DELETE_SELF))))

    try root.makeDirectory("a")
    #expect(watches.renew().isEmpty)
    #expect(watches.concerns(InotifyEvent(watch: 4, mask: created, name: Array("b".utf8))))
  }

  @Test func besideAFileNothingMatters() throws {
    let root = try TemporaryDirectory()
    try root.write("", to: "a")
    let watches = PathWatches(path: "\(root.path)/a", inotify: try Inotify())
    #expect(watches.renew().isEmpty)
    #expect(!watches.concerns(InotifyEvent(watch: 3, mask: UInt32(IN_MODIFY), name: Array("b".utf8))))
    #expect(watches.concerns(InotifyEvent(watch: 3, mask: UInt32(IN_DELETE), name: Array("a".utf8))))
  }
}
