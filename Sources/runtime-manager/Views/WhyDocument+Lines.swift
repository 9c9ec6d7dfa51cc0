internal import Admin

extension WhyDocument {
  /// Each call under its own heading, the latest last: what is at the prompt's end is what has just happened.
  func lines(for terminal: Terminal) -> [String] {
    guard !calls.isEmpty else { return ["\(id): known, and no plugin has been asked about it"] }
    let forgotten = earlier == 0 ? "" : "; \(Words.count(earlier, "earlier one")) had to make room"
    let head = "\(id): \(Words.count(calls.count, "hooked call"))\(forgotten)"
    return head.wrapped(to: terminal.room, indent: 2) + calls.flatMap { [""] + $0.lines(for: terminal) }
  }
}

extension CallDocument {
  fileprivate func lines(for terminal: Terminal) -> [String] {
    heading.wrapped(to: terminal.room, indent: 2).map { terminal.styled($0, .heading) }
      + (refusal.map { Line("refused: \($0)", 2, .bad).wrapped(for: terminal) } ?? [])
      + (traceID.map { Line("trace \($0)", 2, .faint).wrapped(for: terminal) } ?? [])
      + plugins.enumerated().flatMap { $1.lines(place: $0 + 1) }.flatMap { $0.wrapped(for: terminal) }
  }

  /// All of it in one line: who was asked and what came of that.
  var line: String {
    let asked = plugins.map { "\($0.plugin): \($0.hookPoint): \($0.summary)" }
    return ([heading] + asked + (refusal.map { ["refused: \($0)"] } ?? [])).map { Table.Cell($0).text }
      .joined(separator: "; ")
  }

  /// That kubelet got no for an answer, and why.
  var refusalLine: String {
    let parts = [Words.time(time), call, pod.map { "\($0.namespace)/\($0.name)" }, refusal]
    return Table.Cell(parts.compactMap { $0 }.joined(separator: "  ")).text
  }

  private var heading: String {
    let parts: [String?] = [
      Words.time(time), call, pod.map { "\($0.namespace)/\($0.name)" },
      containerID.map { "container \(Words.id($0))" }, Words.duration(milliseconds: durationMs), answer,
      attempt.map { "attempt \($0)" },
    ]
    return Table.Cell(parts.compactMap { $0 }.joined(separator: "  ")).text
  }

  /// What kubelet got, and from whom.
  private var answer: String? {
    guard let kubeletCode else { return attempt == nil ? "call reset" : nil }
    return refusal == nil ? kubeletCode : "\(kubeletCode) from here"
  }
}

extension HookCallDocument {
  fileprivate func lines(place: Int) -> [Line] {
    [Line("\(place). \(plugin)  \(hookPoint)  \(took)\(verdict)", 2, style)]
      + changes.map { Line("\($0.field): \($0.before ?? "(none)") -> \($0.after)  (owner \($0.owner))", 5) }
      + dropped.map { Line("dropped \($0.field) = \($0.wanted): \($0.words)", 5, .warning) }
      + (unlisted == 0 ? [] : [Line("and \(Words.count(unlisted, "more change"))", 5, .faint)])
  }

  fileprivate var summary: String {
    guard failure == nil, notAsked == nil, !changes.isEmpty || !dropped.isEmpty else { return verdict }
    let counts = [("changed", changes.count), ("dropped", dropped.count)].filter { $1 > 0 }
    return counts.map { "\($0) \($1)" }.joined(separator: ", ")
  }

  private var took: String { notAsked == nil ? Words.duration(milliseconds: durationMs) + "  " : "" }

  private var verdict: String {
    if let failure {
      return "\(failure.effect == "refused" ? "REFUSED" : "failed, \(failure.effect)"): \(failure.text)"
    }
    if let notAsked { return "not asked: \(Self.reasons[notAsked] ?? notAsked)" }
    return outcome == "pending" ? "kubelet was answered first" : outcome
  }

  private var style: TextStyle {
    guard let failure else { return outcome == "changed" ? .good : .plain }
    return failure.effect == "refused" ? .bad : .warning
  }

  /// The reasons for not asking, in words.
  private static let reasons = [
    "skipLabel": "the pod has the skip label", "refusedEarlier": "an earlier plugin refused the call",
    "callerGone": "kubelet had left", "runtimeFailed": "the runtime did not do it",
    "objectGone": "the runtime does not know it any more", "toldBefore": "it was told before",
    "registrationGone": "it is not registered any more",
  ]
}

extension HookCallDocument.Dropped {
  fileprivate var words: String {
    if let owner { return "conflict, owner \(owner)" }
    return "forbidden" + (why.map { ", \($0)" } ?? "")
  }
}

/// A line with room in front of it, which its continuations keep.
private struct Line {
  let text: String
  let indent: Int
  let style: TextStyle

  init(_ text: String, _ indent: Int, _ style: TextStyle = .plain) {
    self.text = Table.Cell(text).text
    self.indent = indent
    self.style = style
  }

  func wrapped(for terminal: Terminal) -> [String] {
    text.wrapped(to: max(terminal.room - indent, 8), indent: 2).map { terminal.styled($0.indented(by: indent), style) }
  }
}

extension Terminal {
  /// Columns for text that is not in a table.
  var room: Int { width ?? .max }
}
