/// What a plugin's failure means for the CRI call.
package enum FailurePolicy: String, Sendable, Hashable {
  /// The call is refused.
  case fail = "Fail"
  /// The call goes on as if the plugin had no opinion. The default.
  case ignore = "Ignore"
}
