import Testing

@testable import PluginsManager

@Suite struct SpellingTests {
  private static let words = ["hook-dir", "listen", "log-level", "uid"]

  @Test(arguments: [
    ("hookdir", "hook-dir"), ("lsiten", "listen"), ("LISTEN", "listen"), ("log_level", "log-level"), ("udi", "uid"),
  ])
  func whatIsNearIsMeant(text: String, meant: String) {
    #expect(Spelling.nearest(to: text, of: Self.words) == meant)
  }

  @Test(arguments: ["", "xyz", "a-setting-of-its-own", String(repeating: "listen", count: 1000)])
  func whatIsFarIsNotGuessed(text: String) {
    #expect(Spelling.nearest(to: text, of: Self.words) == nil)
  }
}
