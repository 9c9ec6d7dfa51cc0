/// What accounts cost in memory, for the book's limit: what the allocator gives out for them, a string that others
/// share included.
extension Account {
  /// Without the place in its container.
  var heapBytes: Int {
    verb.heapBytes + (pod?.heapBytes ?? 0) + (podSandboxID?.heapBytes ?? 0) + (containerID?.heapBytes ?? 0)
      + (runtimeCode?.heapBytes ?? 0) + (kubeletCode?.heapBytes ?? 0) + (refusal?.heapBytes ?? 0)
      + (trace?.parent.heapBytes ?? 0) + (trace?.state?.heapBytes ?? 0)
      + hookCalls.heapBytes + hookCalls.reduce(0) { $0 + $1.heapBytes }
  }
}

extension PodIdentity {
  fileprivate var heapBytes: Int { namespace.heapBytes + name.heapBytes + uid.heapBytes }
}

extension HookCall {
  fileprivate var heapBytes: Int {
    plugin.heapBytes + hookPoint.heapBytes + (verdict.failure?.text.heapBytes ?? 0)
      + changes.heapBytes + changes.reduce(0) { $0 + $1.heapBytes }
      + dropped.heapBytes + dropped.reduce(0) { $0 + $1.heapBytes }
  }
}

extension FieldChange {
  fileprivate var heapBytes: Int { field.key.heapBytes + (before?.heapBytes ?? 0) + after.heapBytes }
}

extension DroppedChange {
  fileprivate var heapBytes: Int {
    let reasonBytes =
      switch reason {
      case .forbidden(let why): why.heapBytes
      case .conflict(let owner): owner.heapBytes
      }
    return field.key.heapBytes + wanted.heapBytes + reasonBytes
  }
}

extension ShownValue {
  fileprivate var heapBytes: Int { if case .text(let text) = self { text.heapBytes } else { 0 } }
}

extension String {
  /// Up to 15 bytes are kept in place; a longer one is an object with a header of 32 bytes, in steps of 16.
  var heapBytes: Int {
    let count = utf8.count
    return count <= 15 ? 0 : (count + 1 + 32 + 15) & ~15
  }
}

extension Array {
  /// The array's own object, with what it has in reserve.
  var heapBytes: Int { capacity == 0 ? 0 : capacity * MemoryLayout<Element>.stride + 32 }
}
