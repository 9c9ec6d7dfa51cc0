// The maps of requests, which cri.proto declares as their entries, as dictionaries.

extension CRIPodSandboxConfig {
  package var labels: [String: String] {
    get { labelEntries.dictionary }
    set { labelEntries.dictionary = newValue }
  }

  package var annotations: [String: String] {
    get { annotationEntries.dictionary }
    set { annotationEntries.dictionary = newValue }
  }
}

extension CRIContainerConfig {
  package var annotations: [String: String] {
    get { annotationEntries.dictionary }
    set { annotationEntries.dictionary = newValue }
  }
}

extension CRIUpdateContainerResourcesRequest {
  package var annotations: [String: String] {
    get { annotationEntries.dictionary }
    set { annotationEntries.dictionary = newValue }
  }
}

extension CRILinuxContainerResources {
  package var unified: [String: String] {
    get { unifiedEntries.dictionary }
    set { unifiedEntries.dictionary = newValue }
  }
}

extension [CRIMapEntry] {
  /// The entries of a map field; of several with the same key the last one counts (protobuf encoding, "Maps").
  ///
  /// When it is set, entries whose value stays the same stay as they are and where they are; new ones follow behind,
  /// sorted by key.
  package var dictionary: [String: String] {
    get { Dictionary(lazy.map { ($0.key, $0.value) }) { _, last in last } }
    set {
      var missing = newValue
      for index in indices.reversed() {
        if let value = missing.removeValue(forKey: self[index].key) {
          if self[index].value != value { self[index].value = value }
        } else {
          remove(at: index)
        }
      }
      self += missing.sorted { $0.key < $1.key }.map { key, value in .with { ($0.key, $0.value) = (key, value) } }
    }
  }
}
