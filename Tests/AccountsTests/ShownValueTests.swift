import Accounts
import Testing

struct ShownValueTests {
  @Test func noValueOfAnEnvironmentVariableIsKept() {
    let set = FieldChange(ChangedField(.env, key: "CLASS"), before: nil, after: .text("hush"))
    let changed = FieldChange(ChangedField(.env, key: "CLASS"), before: .text("old hush"), after: .text("hush"))
    let dropped = DroppedChange(ChangedField(.env, key: "CLASS"), wanted: .text("hush"), .conflict(owner: "a"))
    for text in ["\(set)", "\(changed)", "\(dropped)"] { #expect(!text.contains("hush")) }
    #expect(set.afterText == "(set)")
    #expect(changed.afterText == "(changed)")
    #expect(changed.beforeText == nil)
  }

  @Test(arguments: [
    "example.com/secret", "vault.hashicorp.com/agent-inject-token", "DB_PASSWORD", "example.com/Api-Key",
    "kubectl.kubernetes.io/last-applied-configuration", "x/aws-credentials", "x.dockerconfigjson", "token",
  ])
  func keysLikeThisAreSecret(key: String) {
    #expect(SecretKey.looksSecret(key))
    for kind in [ChangedField.Kind.annotation, .label] {
      let change = FieldChange(ChangedField(kind, key: key), before: .text("old hush"), after: .text("hush"))
      #expect(!"\(change)".contains("hush"))
    }
  }

  @Test(arguments: ["", "example.com/class", "io.kubernetes.container.hash", "s", "toke", "example.com/author"])
  func keysLikeThisAreNot(key: String) { #expect(!SecretKey.looksSecret(key)) }

  @Test func valuesOfOtherFieldsAreShown() {
    let change = FieldChange(ChangedField(.cpuShares), before: .number(1024), after: .number(128))
    #expect(change.beforeText == "1024")
    #expect(change.afterText == "128")
    #expect(change.field.description == "cpu_shares")
    #expect(ChangedField(.annotation, key: "a/b").description == "annotation a/b")
    #expect(FieldChange(ChangedField(.cpusetCPUs), before: .text("0"), after: .cleared).afterText == "(cleared)")
  }

  @Test func longTextsAreCutBetweenCharacters() {
    for letter in ["x", "ä", "\u{1F600}"] {
      let shown = ShownValue(text: String(repeating: letter, count: 300)).description
      #expect(shown.utf8.count <= ShownValue.limitBytes)
      #expect(shown.utf8.count > ShownValue.limitBytes - 8)
      #expect(shown.dropLast().allSatisfy { String($0) == letter })
      #expect(shown.last == "\u{2026}")
    }
    let fitting = String(repeating: "x", count: ShownValue.limitBytes)
    #expect(ShownValue(text: fitting).description == fitting)
    #expect(ChangedField(.env, key: fitting + "y").key.utf8.count <= ShownValue.limitBytes)
  }

  @Test func manyChangesOfOneAnswerAreCountedAndNotListed() {
    var call = HookCall.sample()
    for number in 0..<100_000 {
      call.add(FieldChange(ChangedField(.env, key: "\(number)"), before: nil, after: .secret))
      call.add(DroppedChange(ChangedField(.env, key: "\(number)"), wanted: .secret, .forbidden("no")))
    }
    #expect(call.changes.count == HookCall.listedLimit)
    #expect(call.dropped.count == HookCall.listedLimit)
    #expect(call.unlisted == 200_000 - 2 * HookCall.listedLimit)
  }
}
