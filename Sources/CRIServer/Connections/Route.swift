internal import HTTP2

/// What the path of a request says: which service it is for, and whether the call matters to us.
struct Route {
  /// `runtime.v1` or `runtime.v1alpha2`, empty for any other service: calls of our own speak the caller's version.
  let api: String
  let isImageService: Bool
  /// A life-cycle verb that is hooked or observed; nil for everything else.
  let verb: Verb?
  /// The one stream of CRI that has no end.
  let isEndless: Bool
  /// Where the method is in ``methods``.
  let method: Int

  /// The methods of CRI, as calls are counted by them; the last is every other one.
  static let methods = runtimeMethods + imageMethods + ["other"]

  private static let runtimeMethods = [
    "Version", "RunPodSandbox", "StopPodSandbox", "RemovePodSandbox", "PodSandboxStatus", "ListPodSandbox",
    "CreateContainer", "StartContainer", "StopContainer", "RemoveContainer", "ListContainers", "ContainerStatus",
    "UpdateContainerResources", "ReopenContainerLog", "ExecSync", "Exec", "Attach", "PortForward", "ContainerStats",
    "ListContainerStats", "PodSandboxStats", "ListPodSandboxStats", "UpdateRuntimeConfig", "Status",
    "CheckpointContainer", "GetContainerEvents", "ListMetricDescriptors", "ListPodSandboxMetrics", "RuntimeConfig",
    "UpdatePodSandboxResources",
  ]
  private static let imageMethods = ["ListImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo"]
  private static let apis = ["runtime.v1", "runtime.v1alpha2"]

  /// By path, because this is done for every call: one look-up finds all of it.
  private static let known: [String: Route] = {
    var routes: [String: Route] = [:]
    for api in apis {
      for (method, name) in runtimeMethods.enumerated() {
        routes["/\(api).RuntimeService/\(name)"] = Route(
          api: api, isImageService: false, verb: Verb(rawValue: name), isEndless: name == "GetContainerEvents",
          method: method)
      }
      for (index, name) in imageMethods.enumerated() {
        routes["/\(api).ImageService/\(name)"] = Route(
          api: api, isImageService: true, verb: nil, isEndless: false, method: runtimeMethods.count + index)
      }
    }
    return routes
  }()

  init(path: String) { self = Self.known[path] ?? Route(ofUnknown: path) }

  /// A method that CRI may have one day still goes where its service is.
  private init(ofUnknown path: String) {
    let api = Self.apis.first { path.hasPrefix("/\($0).ImageService/") }
    self.init(
      api: api ?? Self.apis.first { path.hasPrefix("/\($0).RuntimeService/") } ?? "", isImageService: api != nil,
      verb: nil, isEndless: false, method: Self.methods.count - 1)
  }

  private init(api: String, isImageService: Bool, verb: Verb?, isEndless: Bool, method: Int) {
    self.api = api
    self.isImageService = isImageService
    self.verb = verb
    self.isEndless = isEndless
    self.method = method
  }
}
