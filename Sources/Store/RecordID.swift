/// What a record of the Store is about, by the runtime's id.
package enum RecordID: Hashable, Sendable {
  /// A pod sandbox, by sandbox id.
  case pod(String)
  /// A container, by container id.
  case container(String)

  /// The runtime's id, whatever it is of.
  package var objectID: String {
    switch self {
    case .pod(let id), .container(let id): id
    }
  }

  /// Whether `other` is the beginning of this id, of the same kind. Whole ids are 64 hexadecimal digits in containerd
  /// and in CRI-O; those of another form have no beginnings.
  func begins(with other: RecordID) -> Bool {
    switch (self, other) {
    case (.pod(let id), .pod(let beginning)), (.container(let id), .container(let beginning)):
      id.utf8.count == 64 && id.hasPrefix(beginning)
    case (.pod, .container), (.container, .pod): false
    }
  }
}
