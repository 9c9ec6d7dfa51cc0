extension Registration {
  /// All that can be said about the text of a registration file.
  package struct Examination: Sendable {
    /// What the file registers; `nil` if there are errors.
    package let registration: Registration?
    /// In the order of the keys in ``Registration``.
    package let errors: [RegistrationError]
    package let warnings: [RegistrationWarning]

    /// In the order of the lines; what is about the whole file comes first.
    package var findings: [RegistrationFinding] {
      let all = errors.map(\.finding) + warnings.flatMap(\.findings)
      return all.enumerated().sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
        .map(\.element)
    }
  }
}
