/// What the simulated runtime is asked for on its command line.
struct Flags {
  var path: String
  var answers = Answers()
  /// How many pod sandboxes and containers there are at start, and how many envs each container has.
  var pods = 0
  var containers = 0
  var envs = 10
  /// Whether life-cycle calls change what there is.
  var isLiving = false

  init(_ arguments: some Collection<String>) {
    var arguments = arguments[...]
    func number() -> Int {
      guard let number = arguments.popFirst().flatMap(Int.init) else {
        fatalError("simulated-runtime: a number is missing")
      }
      return number
    }
    guard let path = arguments.popFirst() else { fatalError("simulated-runtime: which socket?") }
    self.path = path
    while let flag = arguments.popFirst() {
      switch flag {
      case "--plugin": answers.isPlugin = true
      case "--answer-bytes": answers.bytes = number()
      case "--pods": pods = number()
      case "--containers": containers = number()
      case "--envs": envs = number()
      case "--living": isLiving = true
      default: fatalError("simulated-runtime: \(flag) is not known")
      }
    }
  }

  /// What there is at start; nil for a runtime that knows nothing.
  var inventory: Inventory? {
    guard isLiving || containers > 0 || pods > 0 else { return nil }
    return Inventory(pods: max(pods, min(containers, 1)), containers: containers, envs: envs, isLiving: isLiving)
  }
}
