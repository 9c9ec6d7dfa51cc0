internal import HTTP2

/// What the path of a request says: which service it is for, and whether the call matters to us.
struct Route {
  /// Nil for a service that is not CRI's.
  let version: CRIVersion?
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

  private static let known: [(path: String, route: Route)] = CRIVersion.allCases.flatMap { version in
    runtimeMethods.enumerated().map { method, name in
      (
        version.runtimeService(name),
        Route(
          version: version, isImageService: false, verb: Verb(rawValue: name), isEndless: name == "GetContainerEvents",
          method: method)
      )
    }
      + imageMethods.enumerated().map { index, name in
        (
          version.imageService(name),
          Route(
            version: version, isImageService: true, verb: nil, isEndless: false, method: runtimeMethods.count + index)
        )
      }
  }
  private static let paths = HeaderValueTable(known.map(\.path))
  private static let routes = known.map(\.route)

  /// By path: this is done for every call, and one look-up finds all of it.
  init(of headers: HeaderBlock) {
    self =
      headers.index(of: ":path", in: Self.paths).map { Self.routes[$0] }
      ?? Route(ofUnknown: headers.value(of: ":path") ?? "")
  }

  /// A method that CRI may have one day still goes where its service is.
  private init(ofUnknown path: String) {
    let ofImages = CRIVersion.allCases.first { path.hasPrefix($0.imageService("")) }
    self.init(
      version: ofImages ?? CRIVersion.allCases.first { path.hasPrefix($0.runtimeService("")) },
      isImageService: ofImages != nil, verb: nil, isEndless: false, method: Self.methods.count - 1)
  }

  private init(version: CRIVersion?, isImageService: Bool, verb: Verb?, isEndless: Bool, method: Int) {
    self.version = version
    self.isImageService = isImageService
    self.verb = verb
    self.isEndless = isEndless
    self.method = method
  }
}
