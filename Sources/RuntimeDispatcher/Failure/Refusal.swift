package import GRPC

/// The CRI call is refused: `status` is what kubelet gets.
///
/// The failures behind it have been logged; whoever catches it only passes it on.
package struct Refusal: Error, Sendable, Hashable {
  package var status: Status

  package init(status: Status) { self.status = status }
}
