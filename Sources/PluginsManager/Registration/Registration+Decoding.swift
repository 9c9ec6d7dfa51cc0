extension Registration {
  /// koordlet may write this name into its file; the protocol has no such method.
  private static let neverCalled = "PreRemoveRunPodSandbox"

  /// Reads a file's bytes. Pure: no I/O, and no input can trap.
  ///
  /// - Parameter file: the file's path, for the texts of errors.
  package init(decoding bytes: [UInt8], file: String) throws(RegistrationError) {
    let json = try RegistrationFile(parsing: bytes, file: file)
    endpoint = try Self.endpoint(json, file: file)
    failurePolicy = try Self.failurePolicy(json.failurePolicy, file: file)
    timeout = try Self.timeout(json.timeout, file: file)
    uid = try json.uid.value(of: .uid, in: file)

    let names = try json.runtimeHooks.value(of: .runtimeHooks, in: file) ?? []
    hookPoints = Set(names.compactMap(HookPoint.init(rawValue:)))
    warnings = Self.warnings(hookNames: names, unknownKeys: json.unknownKeys)
  }

  private static func endpoint(_ json: RegistrationFile, file: String) throws(RegistrationError) -> String {
    guard let text = try json.remoteEndpoint.value(of: .remoteEndpoint, in: file) else {
      throw .endpointMissing(file: file, unknownKeys: json.unknownKeys)
    }
    let path = text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text
    guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else {
      throw .endpointNotAbsolute(file: file, found: text)
    }
    guard path.utf8.count <= endpointLimitBytes else {
      throw .endpointTooLong(file: file, bytes: path.utf8.count)
    }
    return path
  }

  private static func failurePolicy(
    _ field: RegistrationFile.Field<String>, file: String
  ) throws(RegistrationError) -> FailurePolicy {
    guard let text = try field.value(of: .failurePolicy, in: file), !text.isEmpty else { return .ignore }
    guard let policy = FailurePolicy(rawValue: text) else {
      throw .failurePolicyUnknown(file: file, found: text)
    }
    return policy
  }

  private static func timeout(
    _ field: RegistrationFile.Field<String>, file: String
  ) throws(RegistrationError) -> Duration {
    guard let text = try field.value(of: .timeout, in: file) else { return defaultTimeout }
    guard let timeout = Duration(timeoutText: text) else {
      throw .timeoutInvalid(file: file, found: text)
    }
    return timeout
  }

  private static func warnings(hookNames: [String], unknownKeys: [String]) -> [RegistrationWarning] {
    var warnings: [RegistrationWarning] = []
    if !unknownKeys.isEmpty {
      warnings.append(.unknownKeys(unknownKeys))
    }
    let unknownHooks = Set(hookNames).filter { HookPoint(rawValue: $0) == nil && $0 != neverCalled }
    if !unknownHooks.isEmpty {
      warnings.append(.unknownHooks(unknownHooks.sorted(by: String.inByteOrder)))
    }
    if hookNames.contains(neverCalled) {
      warnings.append(.hookNeverCalled(neverCalled))
    }
    if hookNames.allSatisfy({ HookPoint(rawValue: $0) == nil }) {
      warnings.append(.neverAsked)
    }
    return warnings
  }
}
