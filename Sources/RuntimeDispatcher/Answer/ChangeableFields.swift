internal import PluginsManager

/// Which kinds of fields a plugin may change at one hook point.
struct ChangeableFields: OptionSet, Sendable {
  let rawValue: UInt8

  static let labels = ChangeableFields(rawValue: 1 << 0)
  static let annotations = ChangeableFields(rawValue: 1 << 1)
  static let cgroupParent = ChangeableFields(rawValue: 1 << 2)
  /// All resources but `oom_score_adj`.
  static let limits = ChangeableFields(rawValue: 1 << 3)
  static let oomScoreAdj = ChangeableFields(rawValue: 1 << 4)
  static let envs = ChangeableFields(rawValue: 1 << 5)

  /// The kind that `field` is of.
  init(kindOf field: Field) {
    switch field {
    case .label: self = .labels
    case .annotation: self = .annotations
    case .cgroupParent: self = .cgroupParent
    case .resource(.oomScoreAdj): self = .oomScoreAdj
    case .resource, .hugepageLimit, .unified: self = .limits
    case .env: self = .envs
    }
  }

  init(rawValue: UInt8) { self.rawValue = rawValue }
}

extension HookPoint {
  /// The table of the design's "What a hooked call does". A running process keeps its `oom_score_adj` when
  /// containerd updates a container, so changing it then would be a promise nobody keeps.
  var changeable: ChangeableFields {
    switch self {
    case .preRunPodSandbox: [.labels, .annotations, .cgroupParent, .limits, .oomScoreAdj]
    case .preCreateContainer: [.annotations, .cgroupParent, .limits, .oomScoreAdj, .envs]
    case .preStartContainer, .postStartContainer, .preUpdateContainerResources: [.annotations, .limits]
    case .postStopPodSandbox, .postStopContainer: []
    }
  }
}
