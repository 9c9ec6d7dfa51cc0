internal import Accounts
internal import Store

extension AccountDraft {
  /// The call is about this object.
  func note(_ object: RecordID) {
    switch object {
    case .pod(let id): note(podSandboxID: id)
    case .container(let id): note(containerID: id)
    }
  }
}
