internal import Accounts
internal import Store

extension AdminSources {
  var podsDocument: PodsDocument {
    var containers: [String: [String]] = [:]
    for id in store.containerIDs {
      if let record = store.container(id) { containers[record.podSandboxID, default: []].append(id) }
    }
    let pods = store.podIDs.compactMap { id in
      store.pod(id).map { PodDocument($0, id: id, containers: containers[id, default: []].sorted()) }
    }
    return PodsDocument(pods: pods.sorted { ($0.namespace, $0.name, $0.id) < ($1.namespace, $1.name, $1.id) })
  }

  var containersDocument: ContainersDocument {
    let containers = store.containerIDs.compactMap { id in
      store.container(id).map { ContainerDocument($0, pod: store.pod($0.podSandboxID)?.request) }
    }
    return ContainersDocument(
      containers: containers.sorted {
        ($0.namespace, $0.pod, $0.name, $0.attempt, $0.id) < ($1.namespace, $1.pod, $1.name, $1.attempt, $1.id)
      })
  }

  /// - Parameter query: An id, its beginning, or a pod's `namespace/name`.
  func why(_ query: String) throws(AdminError) -> WhyDocument {
    switch accounts.lookUp(query) {
    case .found(let history): return WhyDocument(history)
    case .ambiguous(let ids): throw .ambiguous(query, matches: ids)
    case .unknown: break
    }
    // Known, but no plugin was ever asked about it.
    let known = (store.podIDs + store.containerIDs).filter { $0.hasPrefix(query) }.sorted()
    switch known.count {
    case 0:
      throw .unknown("nothing is known of \(query.debugDescription): neither a hooked call nor a pod or container")
    case 1: return WhyDocument(id: known[0], calls: [], earlier: 0)
    default: throw .ambiguous(query, matches: known)
    }
  }
}
