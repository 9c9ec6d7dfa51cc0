/// Field numbers from a message down to a field of it.
package struct WirePath: Sendable, Hashable {
  /// A byte for each number, the first one lowest.
  private var numbers: UInt64

  /// - Parameter numbers: One to eight, each from 1 to 255.
  package init(_ numbers: Int...) {
    precondition(!numbers.isEmpty && numbers.count <= 8 && numbers.allSatisfy { (1...255).contains($0) })
    self.numbers = numbers.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private init(_ numbers: UInt64) { self.numbers = numbers }

  /// The first number.
  package var first: Int { Int(numbers & 0xff) }

  /// What follows the first number; nil behind the last.
  package var rest: WirePath? { numbers > 0xff ? WirePath(numbers >> 8) : nil }

  /// The last number.
  package var last: Int { Int(numbers >> lastShift) }

  /// The way to the message that has the last field; nil if that is the whole.
  package var parent: WirePath? { numbers > 0xff ? WirePath(numbers & (1 << lastShift - 1)) : nil }

  /// - Parameter number: From 1 to 255.
  package func appending(_ number: Int) -> WirePath { WirePath(numbers | UInt64(number) << (lastShift + 8)) }

  private var lastShift: UInt64 { UInt64(63 - numbers.leadingZeroBitCount) / 8 * 8 }
}
