internal import YAML

/// Does crictl take the same way as kubelet? What it creates elsewhere, no plugin sees.
struct CrictlCheck {
  private static let path = "/etc/crictl.yaml"

  let node: Node
  let socket: String

  func findings() -> [DoctorFinding] {
    let advice = "runtime-endpoint: unix://\(socket) in \(Self.path) (deploy/crictl.yaml)"
    switch node.content(Self.path) {
    case .absent: return [DoctorFinding(.note, "crictl", "\(Self.path) is not there", advice: advice)]
    case .unreadable(let reason):
      return [DoctorFinding(.warn, "crictl", "\(Self.path): \(reason)", advice: "run doctor as root")]
    case .bytes(let bytes):
      let root: YAMLNode?
      do throws(YAMLError) {
        root = try YAMLDocuments.read(bytes).first
      } catch {
        return [DoctorFinding(.warn, "crictl", "\(Self.path):\(error.line): \(error.problem)", advice: advice)]
      }
      guard case .mapping(let members)? = root?.value,
        let endpoint = members.last(where: { $0.key.text == "runtime-endpoint" })?.value.text
      else { return [DoctorFinding(.warn, "crictl", "\(Self.path) has no runtime-endpoint", advice: advice)] }
      guard endpoint == "unix://\(socket)" || endpoint == socket else {
        return [DoctorFinding(.warn, "crictl", "dials \(endpoint), past RuntimeManager", advice: advice)]
      }
      return [DoctorFinding(.ok, "crictl", "dials \(endpoint)")]
    }
  }
}
