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

  private static let services: [(prefix: String, api: String, isImageService: Bool)] = [
    ("/runtime.v1.RuntimeService/", "runtime.v1", false),
    ("/runtime.v1.ImageService/", "runtime.v1", true),
    ("/runtime.v1alpha2.RuntimeService/", "runtime.v1alpha2", false),
    ("/runtime.v1alpha2.ImageService/", "runtime.v1alpha2", true),
  ]

  init(path: String) {
    // Prefixes and UTF-8, because this is done for every call and characters are expensive to find.
    let service = Self.services.first { path.hasPrefix($0.prefix) }
    api = service?.api ?? ""
    isImageService = service?.isImageService ?? false
    guard let service, !service.isImageService, let method = String(path.utf8.dropFirst(service.prefix.utf8.count))
    else {
      verb = nil
      isEndless = false
      return
    }
    verb = Verb(rawValue: method)
    isEndless = method == "GetContainerEvents"
  }
}
