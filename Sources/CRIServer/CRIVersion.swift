/// The versions of CRI, by the names of their packages.
enum CRIVersion: String, CaseIterable {
  case v1 = "runtime.v1"
  /// What Kubernetes before 1.26 and containerd before 1.7 know; the fields that are read are the same.
  case v1alpha2 = "runtime.v1alpha2"

  func runtimeService(_ method: String) -> String { "/\(rawValue).RuntimeService/\(method)" }

  func imageService(_ method: String) -> String { "/\(rawValue).ImageService/\(method)" }
}
