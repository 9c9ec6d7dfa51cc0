internal import Accounts
package import PluginsManager

/// What the dispatcher keeps for one CRI call, from its first Pre hook to its last Post hook.
///
/// Made by ``RuntimeDispatcher/call(about:in:hiddenEnvKeys:company:)`` from what kubelet sent, before any plugin
/// changed anything.
package struct HookedCall: Sendable {
  /// The plugins, as they were registered when the call came.
  package let registry: Registry
  /// The pod's namespace and name, for log lines; nil if the subject is unknown.
  package let pod: String?
  /// The pod has the skip label: nobody is asked.
  package let isSkipped: Bool
  /// Fail acts as Ignore: a static pod, or a namespace that never fails.
  package let isExemptFromFail: Bool
  /// Envs that plugins are not shown, because a protobuf string cannot hold their values; nor may they set them.
  package let hiddenEnvKeys: Set<String>
  /// What goes along with it.
  package let company: CallCompany
  /// To which plugin each changed field belongs, Pre and Post together.
  package private(set) var owners: [Field: String] = [:]

  init(
    registry: Registry, pod: String?, isSkipped: Bool, isExemptFromFail: Bool, hiddenEnvKeys: Set<String>,
    company: CallCompany = CallCompany()
  ) {
    self.registry = registry
    self.pod = pod
    self.isSkipped = isSkipped
    self.isExemptFromFail = isExemptFromFail
    self.hiddenEnvKeys = hiddenEnvKeys
    self.company = company
  }

  var account: AccountDraft? { company.account }

  /// The plugins to ask at `point`, in the order in which they are asked.
  package func plugins(at point: HookPoint) -> [Plugin] { isSkipped ? [] : registry.plugins(at: point) }

  /// Whether a failure of `plugin` refuses this call.
  package func isUnderFail(_ plugin: Plugin) -> Bool {
    switch plugin.failurePolicy {
    case .fail: !isExemptFromFail
    case .ignore: false
    }
  }

  /// Gives `field` to `plugin`, unless it has an owner already.
  mutating func own(_ field: Field, by plugin: Plugin) {
    if owners[field] == nil { owners[field] = plugin.name }
  }
}
