/// What an upgrade may cost.
package enum HandoverLimits {
  /// Old processes that live beside the one that serves; a further upgrade is refused.
  package static let oldProcesses = 3
  /// One frame: a record of the Store, whose messages are 16 MiB at most, and what is around it.
  package static let frameBytes = 64 << 20
  /// How long kubelet's answer waits for the process that serves to know what its call has left.
  package static let knows: Duration = .seconds(2)
}
