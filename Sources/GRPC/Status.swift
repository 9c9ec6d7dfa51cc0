/// How a gRPC call ended: a code and a text for people.
package struct Status: Error, Sendable, Hashable {
  package var code: StatusCode
  package var message: String

  package init(_ code: StatusCode, _ message: String) {
    self.code = code
    self.message = message
  }
}
