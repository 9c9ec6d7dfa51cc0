/// A place in the life cycle of a pod sandbox or container at which plugins are asked.
///
/// The raw value is the name that a registration file uses; with `Hook` behind it, it is the method of
/// `runtime.v1alpha1.RuntimeHookService` that is called (facts of the hook protocol).
package enum HookPoint: String, CaseIterable, Sendable, Hashable {
  case preRunPodSandbox = "PreRunPodSandbox"
  case postStopPodSandbox = "PostStopPodSandbox"
  case preCreateContainer = "PreCreateContainer"
  case preStartContainer = "PreStartContainer"
  case postStartContainer = "PostStartContainer"
  case postStopContainer = "PostStopContainer"
  case preUpdateContainerResources = "PreUpdateContainerResources"

  /// The gRPC method path on the plugin's socket.
  package var methodPath: String { "/runtime.v1alpha1.RuntimeHookService/\(rawValue)Hook" }
}
