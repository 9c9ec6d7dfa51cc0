package import FoundationEssentials
internal import Synchronization

/// The accounts of the last hooked calls, in memory: of each object the last 20, 4 MiB in all, the oldest goes first.
///
/// An object's accounts outlive the object; only newer ones push them out. From the same accounts come the events that
/// a reader may follow and what is known of each plugin.
package final class AccountBook: Sendable {
  package static let accountsPerObject = 20
  package static let limitBytes = 4 << 20
  /// The most accounts that wait for one reader of ``events(limit:)``.
  package static let eventsWaiting = 256

  /// The time of day.
  let wallClock: @Sendable () -> Date
  private let state: Mutex<AccountBookState>
  private let plugins = Mutex(PluginRecords())
  private let followers = AccountFollowers()
  private let whenFiled: @Sendable (Account) -> Void

  /// - Parameter whenFiled: Told of each account, on whatever thread files it; must not take long.
  package init(
    accountsPerObject: Int = accountsPerObject, limitBytes: Int = limitBytes,
    wallClock: @escaping @Sendable () -> Date = { Date() },
    whenFiled: @escaping @Sendable (Account) -> Void = { _ in }
  ) {
    state = Mutex(AccountBookState(accountsPerObject: accountsPerObject, limitBytes: limitBytes))
    self.wallClock = wallClock
    self.whenFiled = whenFiled
  }

  /// Takes the account of a call that is over.
  package func file(_ account: Account) {
    let number = state.withLock { $0.add(account) }
    plugins.withLock { $0.note(account) }
    followers.tell(number, account)
    whenFiled(account)
  }

  // MARK: Reading

  /// The accounts of one object, or of a pod with its containers.
  /// - Parameter query: The id of a container or pod sandbox, the beginning of an id that no other one shares, or a
  ///   pod's `namespace/name` (then of all its sandboxes).
  package func lookUp(_ query: String) -> AccountLookup { state.withLock { $0.lookUp(query) } }

  /// What the accounts take in memory, bytes.
  package var bytes: Int { state.withLock { $0.bytes } }

  /// How many accounts are kept.
  package var count: Int { state.withLock { $0.count } }

  /// How many accounts had to make room since the start.
  package var dropped: Int { state.withLock { $0.dropped } }

  /// Each account that is filed from now on.
  /// - Parameter limit: The most that wait for the reader; further ones are missed, and the next one says how many.
  package func events(limit: Int = eventsWaiting) -> AsyncStream<AccountEvent> { followers.follow(limit: limit) }

  // MARK: Plugins

  /// What is known of each plugin that was asked, in byte order of the names.
  package var pluginStatistics: [PluginStatistics] { plugins.withLock { $0.all } }

  /// What is known of one plugin; nil if it has not been asked.
  package func statistics(of plugin: String) -> PluginStatistics? { plugins.withLock { $0[plugin] } }

  /// Forgets the plugins of which no registration file is left.
  package func forgetPlugins(except names: Set<String>) { plugins.withLock { $0.forget(except: names) } }
}
