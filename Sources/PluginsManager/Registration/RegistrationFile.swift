internal import FoundationEssentials

/// A registration file as JSON has it: each key absent, of the right type, or of a wrong one.
///
/// Exists so that a wrong type is told with its key, and so that values of unknown keys are not looked at.
struct RegistrationFile: Decodable {
  enum Key: String, CaseIterable {
    case remoteEndpoint = "remote-endpoint"
    case failurePolicy = "failure-policy"
    case runtimeHooks = "runtime-hooks"
    case timeout
    case uid
  }

  enum Field<Value: Sendable>: Sendable {
    case absent
    case wrongType
    case present(Value)

    func value(of key: Key, in file: String, _ map: JSONMap) throws(RegistrationError) -> Value? {
      switch self {
      case .absent: nil
      case .wrongType: throw .wrongType(file: file, line: map.line(of: key), key: key.rawValue, meant: key.meantType)
      case .present(let value): value
      }
    }
  }

  let remoteEndpoint: Field<String>
  let failurePolicy: Field<String>
  let runtimeHooks: Field<[String]>
  let timeout: Field<String>
  let uid: Field<UInt32>
  /// In byte order.
  let unknownKeys: [String]
  /// Where all of that stands.
  private(set) var map = JSONMap([])

  static let keys = Key.allCases.map(\.rawValue)

  init(parsing bytes: [UInt8], file: String) throws(RegistrationError) {
    try JSONOutline.check(bytes, file: file)
    let map = JSONMap(bytes)
    do {
      self = try JSONDecoder().decode(RegistrationFile.self, from: Data(bytes))
    } catch DecodingError.typeMismatch, DecodingError.valueNotFound {
      throw .notAnObject(file: file)
    } catch {
      throw .syntax(file: file, line: map.fault?.line, column: map.fault?.column, meant: map.fault?.meant)
    }
    self.map = map
  }

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: AnyKey.self)
    remoteEndpoint = object.field(.remoteEndpoint)
    failurePolicy = object.field(.failurePolicy)
    runtimeHooks = object.field(.runtimeHooks)
    timeout = object.field(.timeout)
    uid = object.field(.uid)
    unknownKeys = object.allKeys.map(\.stringValue).filter { Key(rawValue: $0) == nil }
      .sorted(by: String.inByteOrder)
  }
}

extension JSONMap {
  /// Where the value of a key begins.
  func line(of key: RegistrationFile.Key) -> Int { member(key.rawValue)?.valueLine ?? 1 }
}

extension RegistrationFile.Key {
  fileprivate var meantType: String {
    switch self {
    case .remoteEndpoint: "a string, the absolute path of a unix socket"
    case .failurePolicy: #"a string, "Fail" or "Ignore""#
    case .runtimeHooks: "a list of strings, the names of hook points"
    case .timeout: #"a string such as "500ms" or "2s""#
    case .uid: "a whole number from 0 to \(UInt32.max)"
    }
  }
}

/// Any text at all: unknown keys are to be seen, not skipped.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<AnyKey> {
  fileprivate func field<Value: Decodable>(_ key: RegistrationFile.Key) -> RegistrationFile.Field<Value> {
    let key = AnyKey(stringValue: key.rawValue)
    guard contains(key), (try? decodeNil(forKey: key)) != true else { return .absent }
    guard let value = try? decode(Value.self, forKey: key) else { return .wrongType }
    return .present(value)
  }
}
