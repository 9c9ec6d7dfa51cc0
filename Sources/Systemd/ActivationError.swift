/// Why what the service manager handed over cannot be served.
package enum ActivationError: Error, Hashable, CustomStringConvertible {
  case unreadable(String)
  case several(Int, names: String)
  case notASocket
  case notAUnixStream
  case notListening
  case otherPath(String)

  package var description: String {
    switch self {
    case .unreadable(let text): "LISTEN_FDS=\(text) is not a number of descriptors"
    case .several(let count, let names):
      "\(count) sockets were handed over (\(names)), and one is served: a socket unit has one ListenStream="
    case .notASocket: "the descriptor that was handed over is not a socket"
    case .notAUnixStream: "the socket that was handed over is not a unix stream socket (ListenStream= with a path)"
    case .notListening: "the socket that was handed over does not listen (Accept=yes is not supported)"
    case .otherPath(let path):
      "the socket that was handed over is \(path.isEmpty ? "not bound to a path" : "bound to \(path)")"
    }
  }
}
