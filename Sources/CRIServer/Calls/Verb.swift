package import PluginsManager

/// The CRI methods that change what the Store knows, named as CRI names them.
package enum Verb: String, Sendable, CaseIterable {
  case runPodSandbox = "RunPodSandbox"
  case stopPodSandbox = "StopPodSandbox"
  case removePodSandbox = "RemovePodSandbox"
  case updatePodSandboxResources = "UpdatePodSandboxResources"
  case createContainer = "CreateContainer"
  case startContainer = "StartContainer"
  case stopContainer = "StopContainer"
  case removeContainer = "RemoveContainer"
  case updateContainerResources = "UpdateContainerResources"

  /// Where plugins are asked around the call; none for verbs that are only observed.
  package var hookPoints: [HookPoint] {
    switch self {
    case .runPodSandbox: [.preRunPodSandbox]
    case .stopPodSandbox: [.postStopPodSandbox]
    case .createContainer: [.preCreateContainer]
    case .startContainer: [.preStartContainer, .postStartContainer]
    case .stopContainer: [.postStopContainer]
    case .updateContainerResources: [.preUpdateContainerResources]
    case .removePodSandbox, .updatePodSandboxResources, .removeContainer: []
    }
  }

  /// What the verb does.
  var call: any LifeCycleCall.Type {
    switch self {
    case .runPodSandbox: RunPodSandbox.self
    case .stopPodSandbox: StopPodSandbox.self
    case .removePodSandbox: RemovePodSandbox.self
    case .updatePodSandboxResources: UpdatePodSandboxResources.self
    case .createContainer: CreateContainer.self
    case .startContainer: StartContainer.self
    case .stopContainer: StopContainer.self
    case .removeContainer: RemoveContainer.self
    case .updateContainerResources: UpdateContainerResources.self
    }
  }
}
