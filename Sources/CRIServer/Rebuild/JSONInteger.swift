/// An integer in a runtime's JSON: a number as Go's encoding/json writes it, or a string as proto-JSON writes 64 bits.
struct JSONInteger: Decodable {
  /// What does not fit is the nearest that does: numbers beyond Int64 mean "no limit" all the same.
  var value: Int64

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int64.self) {
      value = number
    } else if let number = try? container.decode(UInt64.self) {
      value = Int64(clamping: number)
    } else {
      let text = try container.decode(String.self)
      guard let number = Int64(text) ?? UInt64(text).map(Int64.init(clamping:)) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an integer")
      }
      value = number
    }
  }
}
