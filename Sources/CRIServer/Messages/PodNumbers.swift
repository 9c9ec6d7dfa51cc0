internal import RuntimeDispatcher
internal import WireFields

/// The numbers that the fields of a CRI `PodSandboxConfig` have in a hook request. What the hook protocol does not know
/// is left out.
struct PodNumbers {
  var metadata: Int
  var labels: Int
  var annotations: Int
  var cgroupParent: Int
  var overhead: Int
  var resources: Int

  static let pod = PodNumbers(metadata: 1, labels: 3, annotations: 4, cgroupParent: 5, overhead: 6, resources: 7)

  /// Appends the fields of the `PodSandboxConfig` in `range` of `bytes` to a hook request.
  func appendPodConfig(_ bytes: [UInt8], in range: Range<Int>, to request: inout [UInt8]) {
    let entry = WireShape.entry
    for field in WireFields(bytes, in: range) where field.type == .bytes {
      switch field.number {
      case 1: WireShape.podMetadata.append(bytes, in: field.content, to: &request, under: metadata)
      case 6: entry.append(bytes, in: field.content, to: &request, under: labels)
      case 7: entry.append(bytes, in: field.content, to: &request, under: annotations)
      case 8: appendLinux(bytes, in: field.content, to: &request)
      default: break
      }
    }
  }

  private func appendLinux(_ bytes: [UInt8], in range: Range<Int>, to request: inout [UInt8]) {
    for field in WireFields(bytes, in: range) where field.type == .bytes {
      switch field.number {
      case 1: request.append(field: cgroupParent, bytes[field.content])
      case 4: WireShape.resources.append(bytes, in: field.content, to: &request, under: overhead)
      case 5: WireShape.resources.append(bytes, in: field.content, to: &request, under: resources)
      default: break
      }
    }
  }
}
