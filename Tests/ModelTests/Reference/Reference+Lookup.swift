import GRPC

extension Reference {
  /// Whom a call is about, as far as it can be found out.
  enum Found: Sendable {
    case known(Fields)
    case gone
    case unknown
  }

  enum FoundPod: Sendable {
    case known(Kept)
    case gone
    case unknown
  }

  private enum Read {
    case record(Kept?)
    case notFound
    case failed
  }

  static let lookupTimeout = Duration.seconds(2)

  func lookUp(_ id: String, isPod: Bool, within timeout: Duration = lookupTimeout) async -> Found {
    guard isPod else { return await lookUpContainer(id, within: timeout) }
    switch await lookUpPod(id, by: clock.now + timeout) {
    case .known(let pod): return .known(pod.fields)
    case .gone: return .gone
    case .unknown: return .unknown
    }
  }

  func lookUpPod(_ id: String, by deadline: Instant) async -> FoundPod {
    let old = records[id]
    if let old, !old.isStale { return .known(old) }
    switch await readPod(id, by: deadline) {
    case .record(let pod): return pod.map { .known($0) } ?? .gone
    case .notFound: return .gone
    case .failed: return old.map { .known($0) } ?? .unknown
    }
  }

  private func lookUpContainer(_ id: String, within timeout: Duration) async -> Found {
    let deadline = clock.now + timeout
    var container = records[id]
    if container?.isStale ?? true {
      switch await readContainer(id, by: deadline) {
      case .record(let read):
        guard let read else { return .gone }
        container = read
      case .notFound: return .gone
      case .failed: break
      }
    }
    guard let container else { return .unknown }
    switch await lookUpPod(container.podSandboxID, by: deadline) {
    case .known(let pod): return .known(records.told(of: container, in: pod))
    case .gone: return .gone
    case .unknown: return .unknown
    }
  }

  private func readPod(_ id: String, by deadline: Instant) async -> Read {
    let began = records.beginReading()
    switch await ask(.pod(id), by: deadline) {
    case .object(let object):
      records.remember(id, records.pod(object), since: began)
      return .record(records[id])
    case .status(.notFound, _):
      remove(id, isPod: true)
      return .notFound
    case .status, .runtimeFails, .timeUp, .cancelled, .answer, .undecodable, .pluginFails, .ids: return .failed
    }
  }

  private func readContainer(_ id: String, by deadline: Instant) async -> Read {
    let began = records.beginReading()
    switch await ask(.container(id), by: deadline) {
    case .object(let object):
      // Only the pod tells whether a cgroup is the container's own.
      if records[object.id.podSandboxID] == nil { _ = await readPod(object.id.podSandboxID, by: deadline) }
      records.remember(id, records.container(object), since: began)
      return .record(records[id])
    case .status(.notFound, _):
      remove(id, isPod: false)
      return .notFound
    case .status, .runtimeFails, .timeUp, .cancelled, .answer, .undecodable, .pluginFails, .ids: return .failed
    }
  }

  private func ask(_ query: Ask.Query, by deadline: Instant) async -> Reply {
    let left = left(until: deadline)
    return left > .zero ? await port.ask(.query(query), by: clock.now + left) : .timeUp
  }

  // MARK: Rebuild

  /// Brings the records in line with the runtime: missing and stale ones are read, four at a time.
  func rebuild() async {
    let timeout = Duration.seconds(30)
    let began = records.beginReading()
    guard case .ids(let pods) = await ask(.pods, by: clock.now + timeout),
      case .ids(let containers) = await ask(.containers, by: clock.now + timeout)
    else { return }
    let listed = pods + containers
    for gone in records.removeUnlisted(Set(listed.map(\.id)), since: began) { forget(gone) }
    let wanted = listed.filter { records[$0.id]?.isStale ?? true }
    for kind in [true, false] {
      await withDiscardingTaskGroup { group in
        let rest = Rest(wanted.filter { $0.isPod == kind })
        for _ in 0..<4 {
          group.addTask {
            while let id = rest.next() {
              let deadline = self.clock.now + timeout
              _ = id.isPod ? await self.readPod(id.id, by: deadline) : await self.readContainer(id.id, by: deadline)
            }
          }
        }
      }
    }
  }

  // Unchecked, because it is confined to the test's own thread.
  private final class Rest: @unchecked Sendable {
    private var ids: ArraySlice<RuntimeObject.ID>
    init(_ ids: [RuntimeObject.ID]) { self.ids = ids[...] }
    func next() -> RuntimeObject.ID? { ids.popFirst() }
  }
}
