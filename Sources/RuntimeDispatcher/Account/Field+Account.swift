package import Accounts

extension Field {
  /// As an account names it.
  package var changed: ChangedField {
    switch self {
    case .label(let key): ChangedField(.label, key: key)
    case .annotation(let key): ChangedField(.annotation, key: key)
    case .cgroupParent: ChangedField(.cgroupParent)
    case .resource(let field): ChangedField(field.changed)
    case .hugepageLimit(let pageSize): ChangedField(.hugepageLimit, key: pageSize)
    case .unified(let key): ChangedField(.unified, key: key)
    case .env(let key): ChangedField(.env, key: key)
    }
  }
}

extension ResourceField {
  fileprivate var changed: ChangedField.Kind {
    switch self {
    case .cpuPeriod: .cpuPeriod
    case .cpuQuota: .cpuQuota
    case .cpuShares: .cpuShares
    case .memoryLimit: .memoryLimit
    case .oomScoreAdj: .oomScoreAdj
    case .cpusetCPUs: .cpusetCPUs
    case .cpusetMems: .cpusetMems
    case .memorySwapLimit: .memorySwapLimit
    }
  }
}

extension FieldValue {
  /// As an account shows it, if it may be told.
  package var shown: ShownValue {
    switch self {
    case .number(let number): .number(number)
    case .limit(let limit): .limit(limit)
    case .text(let text): ShownValue(text: text)
    case .cleared: .cleared
    }
  }
}
