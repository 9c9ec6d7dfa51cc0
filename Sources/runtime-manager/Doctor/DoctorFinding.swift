/// One thing that `doctor` looked at.
struct DoctorFinding: Encodable, Sendable, Hashable {
  enum Mark: String, Encodable, Sendable {
    case ok
    /// Cannot be seen from here: how to look.
    case note
    /// Works, but not as it should.
    case warn
    /// Does not work.
    case fail

    var style: TextStyle {
      switch self {
      case .ok: .good
      case .note: .faint
      case .warn: .warning
      case .fail: .bad
      }
    }
  }

  let mark: Mark
  /// What was looked at: a few words, the same for each outcome.
  let about: String
  let finding: String
  /// What to do; `nil` where there is nothing to do.
  let advice: String?

  init(_ mark: Mark, _ about: String, _ finding: String, advice: String? = nil) {
    self.mark = mark
    self.about = about
    self.finding = finding
    self.advice = advice
  }
}
