internal import ArgumentParser

/// A TCP port on the command line.
struct TCPPort: ExpressibleByArgument, CustomStringConvertible, Sendable {
  let number: Int

  var description: String { "\(number)" }

  init?(argument: String) {
    guard let number = UInt16(argument), number > 0 else { return nil }
    self.number = Int(number)
  }
}
