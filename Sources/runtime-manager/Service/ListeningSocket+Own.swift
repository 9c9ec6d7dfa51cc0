internal import CRIServer
internal import Handover
internal import NIOCore
internal import Systemd

extension ListeningSocket {
  /// The socket that kubelet dials: that of the process whose place is taken, the service manager's if it has handed one
  /// over, else one of our own.
  ///
  /// - Throws: ``CommandFailure``.
  static func own(_ path: String, _ inheritance: Inheritance?) throws(CommandFailure) -> ListeningSocket {
    let activated = inheritance == nil ? try activated(path) : nil
    do throws(ListenError) {
      if let inheritance {
        return try .inherited(
          inheritance.socket, lock: inheritance.lock, path: path, isActivated: inheritance.isActivated)
      }
      if let activated { return try .activated(activated, path: path) }
      return try .bind(path)
    } catch {
      throw CommandFailure(message: "--listen: \(error)", code: .unavailable)
    }
  }

  private static func activated(_ path: String) throws(CommandFailure) -> CInt? {
    do throws(ActivationError) {
      return try SocketActivation.socket(listeningOn: path)
    } catch {
      throw CommandFailure(message: "--listen \(path): \(error)", code: .unavailable)
    }
  }
}

extension ControlSocket {
  /// The socket of `runtime-manager upgrade`, beside the one that kubelet dials.
  ///
  /// - Throws: ``CommandFailure``.
  static func own(
    beside path: String, _ inheritance: Inheritance?, eventLoop: any EventLoop
  ) throws(CommandFailure) -> ControlSocket {
    do throws(ListenError) {
      return try ControlSocket(beside: path, inherited: inheritance?.control, eventLoop: eventLoop)
    } catch {
      throw CommandFailure(message: "--listen: \(error)", code: .unavailable)
    }
  }
}
