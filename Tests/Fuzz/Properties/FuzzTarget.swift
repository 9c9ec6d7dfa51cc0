/// One thing that is fuzzed: what must hold for any bytes at all.
///
/// The fuzzer looks for bytes for which ``check(_:)`` throws, traps, leaks or takes too much memory; the replay tests
/// check the committed bytes without it.
package protocol FuzzTarget: Sendable {
  /// The name of its folder in Tests/Fuzz/Corpus.
  static var name: String { get }

  /// - Throws: ``PropertyFailure`` if something does not hold that must.
  static func check(_ bytes: [UInt8]) throws
}

/// Every target. A new one is one file, one line here and a folder with seeds.
package let fuzzTargets: [any FuzzTarget.Type] = [
  HTTP2ServerTarget.self, HTTP2ClientTarget.self, GRPCFramingTarget.self, GRPCCodecsTarget.self,
  RunPodSandboxTarget.self, CreateContainerTarget.self, UpdateContainerResourcesTarget.self, NamedObjectTarget.self,
  RegistrationTarget.self, RuntimeStatusTarget.self,
]

package let fuzzTargetNames = fuzzTargets.map { $0.name }
