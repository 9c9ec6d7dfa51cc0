internal import CRIMessages
internal import SwiftProtobuf

/// A CRI request as its verb takes it from the wire: decoded, or in its bytes.
protocol CallRequest: Sendable {
  /// - Throws: the bytes are no such message.
  init(message: [UInt8]) throws

  /// The request as it travels.
  var message: [UInt8] { get throws }
}

extension CallRequest where Self: SwiftProtobuf.Message {
  init(message: [UInt8]) throws { try self.init(serializedBytes: message) }

  var message: [UInt8] { get throws { try serializedBytes() } }
}

extension CRICreateContainerRequest: CallRequest {}
extension CRIRemoveContainerRequest: CallRequest {}
extension CRIRemovePodSandboxRequest: CallRequest {}
extension CRIStartContainerRequest: CallRequest {}
extension CRIStopContainerRequest: CallRequest {}
extension CRIStopPodSandboxRequest: CallRequest {}
extension CRIUpdateContainerResourcesRequest: CallRequest {}
extension CRIUpdatePodSandboxResourcesRequest: CallRequest {}
