import PluginsManager

@discardableResult
func decode(_ text: String) throws(RegistrationError) -> Registration {
  try Registration(decoding: Array(text.utf8), file: "f.json")
}

/// The text of a good file.
func goodFile(endpoint: String = "/run/a.sock", point: HookPoint = .preRunPodSandbox) -> String {
  #"{"remote-endpoint":"\#(endpoint)","runtime-hooks":["\#(point.rawValue)"]}"#
}
