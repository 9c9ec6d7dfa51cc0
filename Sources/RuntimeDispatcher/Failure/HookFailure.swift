package import GRPC
package import PluginsManager

/// A plugin that was, or should have been, asked has failed.
package struct HookFailure: Error, Sendable, Hashable {
  package var plugin: String
  package var hookPoint: HookPoint
  package var cause: Cause

  package init(_ plugin: String, _ hookPoint: HookPoint, _ cause: Cause) {
    self.plugin = plugin
    self.hookPoint = hookPoint
    self.cause = cause
  }

  /// Why (design, "Failure"). What a plugin says itself is kept whole here and cut when it is shown.
  package enum Cause: Error, Sendable, Hashable {
    case socketUnavailable(String)
    /// The socket belongs to this user, who is not trusted.
    case wrongOwner(uid: UInt32)
    /// The plugin's own timeout passed.
    case deadline(Duration)
    /// The plugin was asked, but kubelet's deadline left only this much time.
    case shortenedDeadline(Duration)
    /// Nothing was left of the share of kubelet's deadline that hooks may use.
    case noTimeLeft
    case connectionBroken(String)
    /// The breaker is open: the plugin was not asked.
    case tripped
    /// Not exactly one message, compressed, or too long.
    case badAnswer(String)
    /// The answer is not the message that the hook point has.
    case undecodable
    /// The plugin's own error.
    case status(Status)
    case forbiddenChange(Field, why: String)
    /// The field belongs to the plugin `owner`, which wants another value.
    case conflict(Field, owner: String)
    /// Nobody could say which pod or container the call is about.
    case subjectUnknown(String)
    /// The runtime refused our own UpdateContainerResources, which the plugin's changes had made necessary.
    case runtimeRefused(Status)
    /// kubelet left: no fault of the plugin's.
    case cancelled
    /// RuntimeManager ends.
    case ending
  }
}
