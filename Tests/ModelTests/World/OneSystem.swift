import NIOCore
import NIOEmbedded
import PluginsManager
import RuntimeDispatcher
import Testing

@testable import CRIServer

/// The real modules alone, in a world that the test makes by hand: one plugin, `a`, under Fail, with a timeout of 500 ms.
final class OneSystem {
  let clock = WorldClock()
  let system: RealSystem
  private let loop = EmbeddedEventLoop()
  private let files: RegistrationFiles

  init(pluginAt points: Set<HookPoint>) throws {
    files = try RegistrationFiles()
    system = RealSystem(directory: files.path, loop: loop, clock: clock, outside: Outside())
    try files.write(
      .good(endpoint: "/run/a.sock", policy: .fail, points: points, timeoutMilliseconds: 500), to: "a")
    system.look()
    loop.run()
  }

  deinit {
    system.stop()
    loop.advanceTime(by: .hours(1))
  }

  var asks: [Ask] { system.port.waiting.map(\.ask) }

  func begin(_ verb: Verb, _ fields: Fields, timeout: Duration? = nil) {
    _ = system.begin(KubeletCall(verb: verb, fields: fields, timeout: timeout)) { _ in }
    loop.run()
  }

  func answer(_ reply: Reply, where isMeant: (Ask.About) -> Bool) throws {
    let ask = try #require(asks.first { isMeant($0.about) })
    system.port.reply(reply, to: ask)
    loop.run()
  }

  /// Lets time pass, and the clock show it.
  func pass(_ duration: Duration) {
    loop.advanceTime(by: TimeAmount(duration))
    set(by: duration)
  }

  /// Sets the clock, and has it looked at.
  func set(by shown: Duration) {
    clock.now += shown
    _ = system.dispatcher.clock.now
  }

  /// What whoever waits for the only answer that is waited for has left.
  var left: Duration? {
    get throws {
      try #require(asks.count == 1)
      return asks[0].due.map { system.dispatcher.clock.now.duration(to: $0) }
    }
  }
}

extension Ask.About {
  var isHook: Bool { if case .hook = self { true } else { false } }
}
