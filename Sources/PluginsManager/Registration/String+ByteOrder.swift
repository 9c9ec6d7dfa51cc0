extension String {
  /// The order in which plugins are asked, the same on every node whatever its locale.
  static func inByteOrder(_ first: String, _ second: String) -> Bool {
    first.utf8.lexicographicallyPrecedes(second.utf8)
  }
}
