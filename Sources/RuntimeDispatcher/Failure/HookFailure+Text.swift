internal import GRPC

extension HookFailure.Cause: CustomStringConvertible {
  /// The cause in words. Says names of fields, never their values.
  package var description: String {
    switch self {
    case .socketUnavailable(let text): "socket unavailable: \(PluginText.cut(text))"
    case .wrongOwner(let uid):
      "socket belongs to uid \(uid); if that is right, set `uid` to \(uid) in the registration file"
    case .deadline(let timeout): "deadline of \(timeout.inWords) passed"
    case .shortenedDeadline(let timeout):
      "deadline of \(timeout.inWords) passed, which was all that kubelet's deadline left"
    case .noTimeLeft: "kubelet's deadline left no time to ask"
    case .connectionBroken(let text): "connection broken: \(PluginText.cut(text))"
    case .tripped: "not asked, because its last calls ran into their deadlines"
    case .badAnswer(let text): "bad answer: \(PluginText.cut(text))"
    case .undecodable: "answer cannot be decoded"
    case .status(let status): "\(status.code): \(PluginText.cut(status.message))"
    case .forbiddenChange(let field, let why): "forbidden change of \(field): \(why)"
    case .conflict(let field, let owner): "conflict: \(field) belongs to \(owner)"
    case .subjectUnknown(let text): "subject unknown: \(text)"
    case .runtimeRefused(let status): "runtime refused the changed resources: \(status.message)"
    case .cancelled: "kubelet cancelled the call"
    case .ending: "RuntimeManager is shutting down"
    }
  }
}
