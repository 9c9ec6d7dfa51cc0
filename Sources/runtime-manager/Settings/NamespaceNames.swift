internal import ArgumentParser

/// Names of namespaces, with commas between.
struct NamespaceNames: ExpressibleByArgument, CommaSeparated, CustomStringConvertible {
  let names: [String]

  var description: String { names.joined(separator: ",") }

  init(_ names: [String]) { self.names = names }

  init?(argument: String) {
    names = argument.split(separator: ",").map(String.init)
    guard names.allSatisfy({ $0.utf8.allSatisfy(Self.isInNames) }) else { return nil }
  }

  /// Lower-case letters, digits and dashes (Kubernetes, "DNS label names").
  private static func isInNames(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
