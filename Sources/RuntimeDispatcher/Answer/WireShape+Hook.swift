package import WireFields

// The messages of hook.proto.

extension WireShape {
  package static let podMetadata = WireShape([1: .text, 2: .text, 3: .text, 4: .number])
  package static let hugepageLimit = WireShape([1: .text, 2: .number])

  /// `LinuxContainerResources` of both vocabularies.
  package static let resources = WireShape([
    1: .number, 2: .number, 3: .number, 4: .number, 5: .number, 6: .text, 7: .text, 8: .messages(hugepageLimit),
    9: .messages(entry), 10: .number,
  ])

  static let podHookResponse = WireShape([
    1: .messages(entry), 2: .messages(entry), 3: .text, 4: .message(resources),
  ])

  static let containerHookResponse = WireShape([
    1: .messages(entry), 2: .message(resources), 3: .text, 4: .messages(entry),
  ])
}
