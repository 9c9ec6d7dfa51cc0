extension Field {
  /// Whether the field is part of `LinuxContainerResources`.
  package var isResource: Bool {
    switch self {
    case .resource, .hugepageLimit, .unified: true
    case .label, .annotation, .cgroupParent, .env: false
    }
  }
}
