package import WireFields

/// Where a message has the fields that plugins may change: paths of field numbers from the message down, nil for what
/// it does not have.
///
/// CRI requests, hook requests and hook answers hold the same things under other numbers. So they are read and changed
/// by the same code, on their bytes, and what nobody changes stays what it was byte for byte.
///
/// All functions want bytes that a `WireShape` has admitted.
package struct FieldPlaces: Sendable {
  var labels: WirePath?
  var annotations: WirePath?
  var cgroupParent: WirePath?
  /// `LinuxContainerResources`, which has the same fields under the same numbers in both vocabularies.
  var resources: WirePath?
  var envs: WirePath?

  package init(
    labels: WirePath? = nil, annotations: WirePath? = nil, cgroupParent: WirePath? = nil, resources: WirePath? = nil,
    envs: WirePath? = nil
  ) {
    self.labels = labels
    self.annotations = annotations
    self.cgroupParent = cgroupParent
    self.resources = resources
    self.envs = envs
  }

  /// Field numbers of `LinuxContainerResources` that are not a ``ResourceField``'s.
  static let hugepageLimitsNumber = 8
  static let unifiedNumber = 9
}

extension ResourceField {
  /// The field number in `LinuxContainerResources`.
  var number: Int {
    switch self {
    case .cpuPeriod: 1
    case .cpuQuota: 2
    case .cpuShares: 3
    case .memoryLimit: 4
    case .oomScoreAdj: 5
    case .cpusetCPUs: 6
    case .cpusetMems: 7
    case .memorySwapLimit: 10
    }
  }
}
