extension Registration {
  /// koordlet may write this name into its file; the protocol has no such method.
  private static let neverCalled = "PreRemoveRunPodSandbox"

  /// Reads a file's bytes. Pure: no I/O, and no input can trap.
  ///
  /// - Parameter file: the file's path, for the texts of errors.
  /// - Throws: the first error of ``examine(_:file:)``.
  package init(decoding bytes: [UInt8], file: String) throws(RegistrationError) {
    let examination = Self.examine(bytes, file: file)
    guard let registration = examination.registration else {
      throw examination.errors.first ?? .notAnObject(file: file)
    }
    self = registration
  }

  /// Reads a file's bytes and gathers all that is wrong with them, not only what comes first.
  package static func examine(_ bytes: [UInt8], file: String) -> Examination {
    do throws(RegistrationError) {
      let json = try RegistrationFile(parsing: bytes, file: file)
      return examine(json, file: file)
    } catch {
      return Examination(registration: nil, errors: [error], warnings: [])
    }
  }

  private static func examine(_ json: RegistrationFile, file: String) -> Examination {
    var errors: [RegistrationError] = []
    func value<Value>(_ read: () throws(RegistrationError) -> Value) -> Value? {
      do throws(RegistrationError) {
        return try read()
      } catch {
        errors.append(error)
        return nil
      }
    }
    let endpoint = value { () throws(RegistrationError) in try Self.endpoint(json, file: file) }
    let policy = value { () throws(RegistrationError) in try Self.failurePolicy(json, file: file) }
    let timeout = value { () throws(RegistrationError) in try Self.timeout(json, file: file) }
    let uid = value { () throws(RegistrationError) in try json.uid.value(of: .uid, in: file, json.map) }
    let names = value { () throws(RegistrationError) in
      try json.runtimeHooks.value(of: .runtimeHooks, in: file, json.map) ?? []
    }

    let warnings = Self.warnings(json, hookNames: names)
    guard let endpoint, let policy, let timeout, let uid, let names else {
      return Examination(registration: nil, errors: errors, warnings: warnings)
    }
    let registration = Registration(
      endpoint: endpoint, failurePolicy: policy, hookPoints: Set(names.compactMap(HookPoint.init(rawValue:))),
      timeout: timeout, uid: uid, warnings: warnings)
    return Examination(registration: registration, errors: [], warnings: warnings)
  }

  private static func endpoint(_ json: RegistrationFile, file: String) throws(RegistrationError) -> String {
    guard let text = try json.remoteEndpoint.value(of: .remoteEndpoint, in: file, json.map) else {
      throw .endpointMissing(file: file, unknownKeys: json.unknownKeys)
    }
    let path = text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text
    guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else {
      throw .endpointNotAbsolute(file: file, line: json.map.line(of: .remoteEndpoint), found: text)
    }
    guard path.utf8.count <= endpointLimitBytes else {
      throw .endpointTooLong(file: file, line: json.map.line(of: .remoteEndpoint), bytes: path.utf8.count)
    }
    return path
  }

  private static func failurePolicy(
    _ json: RegistrationFile, file: String
  ) throws(RegistrationError) -> FailurePolicy {
    guard let text = try json.failurePolicy.value(of: .failurePolicy, in: file, json.map), !text.isEmpty else {
      return .ignore
    }
    guard let policy = FailurePolicy(rawValue: text) else {
      throw .failurePolicyUnknown(file: file, line: json.map.line(of: .failurePolicy), found: text)
    }
    return policy
  }

  private static func timeout(_ json: RegistrationFile, file: String) throws(RegistrationError) -> Duration {
    guard let text = try json.timeout.value(of: .timeout, in: file, json.map) else { return defaultTimeout }
    guard let timeout = Duration(timeoutText: text) else {
      throw .timeoutInvalid(file: file, line: json.map.line(of: .timeout), found: text)
    }
    return timeout
  }

  /// - Parameter hookNames: `nil` if they cannot be read.
  private static func warnings(_ json: RegistrationFile, hookNames: [String]?) -> [RegistrationWarning] {
    var warnings: [RegistrationWarning] = []
    if !json.unknownKeys.isEmpty {
      warnings.append(.unknownKeys(json.unknownKeys.map { Placed($0, line: json.map.member($0)?.line ?? 1) }))
    }
    let repeated = json.map.repeated
    if !repeated.isEmpty {
      warnings.append(.repeatedKeys(repeated.map { Placed($0.key, line: $0.line) }))
    }
    guard let hookNames else { return warnings }

    let hooks = json.map.member(RegistrationFile.Key.runtimeHooks.rawValue)
    let lines = Dictionary(zip(hookNames, hooks?.itemLines ?? [])) { first, _ in first }
    func placed(_ name: String) -> Placed { Placed(name, line: lines[name] ?? hooks?.valueLine ?? 1) }
    let unknownHooks = Set(hookNames).filter { HookPoint(rawValue: $0) == nil && $0 != neverCalled }
    if !unknownHooks.isEmpty {
      warnings.append(.unknownHooks(unknownHooks.sorted(by: String.inByteOrder).map(placed)))
    }
    if hookNames.contains(neverCalled) {
      warnings.append(.hookNeverCalled(placed(neverCalled)))
    }
    if hookNames.allSatisfy({ HookPoint(rawValue: $0) == nil }) {
      warnings.append(.neverAsked)
    }
    return warnings
  }
}
