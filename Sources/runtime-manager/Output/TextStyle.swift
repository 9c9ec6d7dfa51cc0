/// What a piece of text is, for terminals with colours. The words say it without them.
enum TextStyle: Sendable {
  case plain
  case heading
  case good
  case warning
  case bad
  /// Beside the point.
  case faint

  /// Parameters of Select Graphic Rendition (ECMA-48, 8.3.117).
  var code: String? {
    switch self {
    case .plain: nil
    case .heading: "1"
    case .good: "32"
    case .warning: "33"
    case .bad: "31"
    case .faint: "2"
    }
  }
}
