package import Accounts

/// What goes along with a call from its beginning to its last Post hook, and has no say in it.
package struct CallCompany: Sendable {
  /// Where what happens is noted; nil if nobody wants to know.
  package var account: AccountDraft?
  /// The trace that its hook calls belong to.
  package var trace: TraceContext?

  package init(account: AccountDraft? = nil, trace: TraceContext? = nil) {
    self.account = account
    self.trace = trace
  }
}
