internal import ArgumentParser

/// A directory on the command line: an absolute path. It need not exist.
struct DirectoryPath: ExpressibleByArgument, CustomStringConvertible {
  let path: String

  var description: String { path }

  init(_ path: String) { self.path = path }

  init?(argument: String) {
    guard argument.hasPrefix("/") else { return nil }
    self.init(argument)
  }
}
