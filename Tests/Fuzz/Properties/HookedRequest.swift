import HookMessages
import RuntimeDispatcher
import SwiftProtobuf

/// A CRI request that plugins may change: what must hold for its way through RuntimeManager, decode, ask, apply,
/// encode, for any request, any answer and any changes.
///
/// An input is the request and the answer, each behind two bytes of length, then single changes.
protocol HookedRequest: FuzzTarget {
  associatedtype Request: Message & Equatable
  /// What a plugin is sent about it.
  associatedtype Subject: HookRequest & Equatable

  /// What cri.proto has of it, and what of that changes may touch.
  static var known: KnownFields { get }
  /// What hook.proto has of an answer.
  static var knownOfAnswer: KnownFields { get }

  static func subject(of request: Request) throws -> Subject
  static func apply(_ changes: [Change], to request: inout Request) throws
  /// The answer that repeats all that was sent.
  static func echo(of subject: Subject) throws -> Subject.Answer
  /// Repeats in `answer` the cgroup parent that was sent.
  static func keepCgroupParent(of subject: Subject, in answer: inout Subject.Answer) throws
  /// Further properties of bytes that are no request.
  static func checkRefused(_ bytes: [UInt8]) throws
  /// Further properties of an accepted request, of its bytes, of any answer's and of any changes.
  static func checkMore(_ request: Request, _ bytes: [UInt8], answer: [UInt8], changes: [Change]) throws
}

extension HookedRequest {
  static func checkRefused(_ bytes: [UInt8]) throws {}

  package static func check(_ bytes: [UInt8]) throws {
    var input = ByteReader(bytes)
    let requestBytes = input.longBytes()
    var answerBytes = input.longBytes()
    try checkCutShort(Request.self, requestBytes)
    try checkCutShort(Subject.Answer.self, answerBytes)
    guard let request = try? Request(serializedBytes: requestBytes) else { return try checkRefused(requestBytes) }

    let subject = try subject(of: request)
    try checkNoChange(request, subject)
    if !isReadAlike(answerBytes) {
      _ = try? subject.differences(toAnswer: answerBytes)
      answerBytes = []
    }
    var changes: [Change] = []
    if let answer = try? Subject.Answer(serializedBytes: answerBytes) {
      changes = try subject.differences(toAnswer: answerBytes)
      try checkDifferences(subject, answer, changes)
    }
    try checkApplied(changes, request, requestBytes)
    let anyChanges = Self.changes(&input)
    try checkApplied(anyChanges, request, requestBytes)
    try checkMore(request, requestBytes, answer: answerBytes, changes: anyChanges)
  }

  /// A number as the key or value of a map's entry is skipped, as protobuf has it, but swift-protobuf takes it for the next
  /// tag (`BinaryDecoder.decodeMapField`): there it is nothing to compare with.
  private static func isReadAlike(_ answer: [UInt8]) -> Bool {
    (try? knownOfAnswer.hasTextsInMaps(answer)) ?? ((try? Subject.Answer(serializedBytes: answer)) == nil)
  }

  // MARK: Properties

  /// Bytes that end inside a field are no message; any other beginning is one, or an error.
  private static func checkCutShort<M: Message>(_: M.Type, _ bytes: [UInt8]) throws {
    let ends = try? WireMessage.fieldEnds(in: bytes)
    // Every place in small inputs, some in large ones.
    for end in stride(from: 1, to: bytes.count, by: 1 + bytes.count / 48) {
      let isMessage = (try? M(serializedBytes: Array(bytes[..<end]))) != nil
      guard let ends, isMessage else { continue }
      try expect(ends.contains(end), "\(end) of \(bytes.count) bytes are a message, cut inside a field")
    }
  }

  /// Nobody wants a change: none is found, and none is made.
  ///
  /// That none is found is what makes a call travel in the bytes that kubelet sent: `Exchange` encodes a request anew
  /// only if there are changes, and has the original bytes otherwise. What is encoded anew here is the same message,
  /// in whatever bytes; ``RunPodSandboxTarget`` compares bytes.
  private static func checkNoChange(_ request: Request, _ subject: Subject) throws {
    try expect(subject.differences(to: Subject.Answer()).isEmpty, "an empty answer is a change")
    let changes = try subject.differences(to: echo(of: subject))
    try expect(changes.isEmpty, "an echo is a change: \(changes)")
    var same = request
    try apply([], to: &same)
    try expect(same == request, "no change changes the request")
    let bytes = try encoded(request)
    try expect(encoded(same) == bytes, "no change changes the bytes")
    try expect(encoded(Request(serializedBytes: bytes)) == bytes, "the bytes change on the way")
  }

  /// What an answer changes is what it wants: asked again, it wants no more.
  private static func checkDifferences(_ subject: Subject, _ answer: Subject.Answer, _ changes: [Change]) throws {
    try expect(Set(changes.map(\.field)).count == changes.count, "a field is changed twice: \(changes)")
    var changed = subject
    for change in changes { changed.apply(change) }
    var twice = changed
    for change in changes { twice.apply(change) }
    try expect(twice == changed, "what a plugin is sent differs after the second time")
    // An answer that moves the container is not whole-state, but would be if it were given once more.
    var again = answer
    try keepCgroupParent(of: subject, in: &again)
    var settled = subject
    for change in try subject.differences(to: again) { settled.apply(change) }
    let left = try settled.differences(to: again)
    try expect(left.isEmpty, "what was applied is still a difference: \(left)")
  }

  /// Changes made twice are changes made once, they survive the wire, and what no change is about is not touched.
  private static func checkApplied(_ changes: [Change], _ request: Request, _ bytes: [UInt8]) throws {
    var once = request
    try apply(changes, to: &once)
    var twice = once
    try apply(changes, to: &twice)
    try expect(twice == once, "applied twice is not applied once: \(changes)")
    let sent = try encoded(once)
    try expect(Request(serializedBytes: sent) == once, "the changed request changes on the wire")
    guard let before = try? KeptFields(bytes, known) else { return }
    let after = try KeptFields(sent, known)
    try expect(before.isKept(in: after), "what \(changes) are not about: \(before) became \(after)")
  }

  // MARK: Parts

  /// The same bytes for the same message: maps in the order of their keys.
  private static func encoded(_ message: some Message) throws -> [UInt8] {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    return try message.serializedBytes(options: options)
  }

  /// At most one change of a field, as RuntimeDispatcher gives them.
  private static func changes(_ input: inout ByteReader) -> [Change] {
    var changes: [Change] = []
    while !input.isAtEnd, changes.count < 32 {
      let change = Change(field(&input), value(&input))
      if !changes.contains(where: { $0.field == change.field }) { changes.append(change) }
    }
    return changes
  }

  private static func field(_ input: inout ByteReader) -> Field {
    switch input.byte() % 7 {
    case 0: .label(key: input.text())
    case 1: .annotation(key: input.text())
    case 2: .cgroupParent
    case 3: .resource(ResourceField.allCases[Int(input.byte()) % ResourceField.allCases.count])
    case 4: .hugepageLimit(pageSize: input.text())
    case 5: .unified(key: input.text())
    default: .env(key: input.text())
    }
  }

  private static func value(_ input: inout ByteReader) -> FieldValue {
    switch input.byte() % 4 {
    case 0: .number(Int64(truncatingIfNeeded: input.integer()))
    case 1: .limit(input.integer())
    case 2: .text(input.text())
    default: .cleared
    }
  }
}

// MARK: The two things that plugins are sent

extension HookedRequest where Subject == EncodedPod {
  static var knownOfAnswer: KnownFields { .podAnswer }

  static func echo(of subject: EncodedPod) throws -> PodSandboxHookResponse {
    let pod = try PodSandboxHookRequest(serializedBytes: subject.message)
    return .with {
      $0.labels = pod.labels
      $0.annotations = pod.annotations
      $0.cgroupParent = pod.cgroupParent
      if pod.hasResources { $0.resources = pod.resources }
    }
  }

  static func keepCgroupParent(of subject: EncodedPod, in answer: inout PodSandboxHookResponse) throws {
    answer.cgroupParent = try PodSandboxHookRequest(serializedBytes: subject.message).cgroupParent
  }
}

extension HookedRequest where Subject == ContainerResourceHookRequest {
  static var knownOfAnswer: KnownFields { .containerAnswer }

  static func echo(of subject: ContainerResourceHookRequest) -> ContainerResourceHookResponse {
    .with {
      $0.containerAnnotations = subject.containerAnnotations
      if subject.hasContainerResources { $0.containerResources = subject.containerResources }
      $0.podCgroupParent = subject.podCgroupParent
      $0.containerEnvs = subject.containerEnvs
    }
  }

  static func keepCgroupParent(of subject: ContainerResourceHookRequest, in answer: inout ContainerResourceHookResponse)
  {
    answer.podCgroupParent = subject.podCgroupParent
  }
}
