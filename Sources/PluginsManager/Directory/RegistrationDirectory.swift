internal import Glibc

/// The directory of registration files, as one look at it finds it.
///
/// All of it is blocking disk I/O: never to be called on an event loop.
struct RegistrationDirectory: Sendable {
  /// As configured; may lead through symbolic links.
  let path: String
  /// Whose files are trusted besides root's.
  let daemonUID: UInt32

  /// Reads every registration file once.
  ///
  /// Ignored are names that begin with `.` or do not end in `.json`, and directories. A file that vanishes
  /// meanwhile was never there; one whose link leads nowhere is there and unreadable. Of names that Unicode
  /// holds for the same text, the first in byte order is read.
  func scan() -> DirectoryScan {
    do throws(RegistrationError) {
      guard let directory = try open() else { return .absent }
      return .files(try names(in: directory).compactMap { read($0, in: directory) })
    } catch {
      return .refused(error)
    }
  }

  /// `nil` if there is no such directory.
  private func open() throws(RegistrationError) -> OpenFile? {
    switch OpenFile.open(path, in: AT_FDCWD, flags: O_DIRECTORY) {
    case .success(let directory):
      try TrustedFile.checkAccess(
        to: path, status: try TrustedFile.status(of: directory, path: path), daemonUID: daemonUID)
      return directory
    case .failure(let error) where error.code == ENOENT:
      return nil
    case .failure(let error):
      throw .unreadable(path: path, operation: "open", reason: error.description)
    }
  }

  private func read(_ name: FileName, in directory: OpenFile) -> ScannedFile? {
    let file = "\(path)/\(name.text)"
    do throws(RegistrationError) {
      guard name.isUTF8 else { throw .nameNotUTF8(file: file) }
      // A FIFO without a writer must not block us.
      switch OpenFile.open(name.text, in: directory.descriptor, flags: O_NONBLOCK | O_NOCTTY) {
      case .success(let opened):
        guard !(try TrustedFile.isDirectory(opened, path: file)) else { return nil }
        let content = try TrustedFile.content(
          of: opened, file: file, limitBytes: Registration.limitBytes, daemonUID: daemonUID)
        return ScannedFile(name: name.text, path: file, content: .success(content))
      case .failure(let error) where error.code == ENOENT && !directory.contains(name.text):
        return nil
      case .failure(let error):
        throw .unreadable(path: file, operation: "open", reason: error.description)
      }
    } catch {
      return ScannedFile(name: name.text, path: file, content: .failure(error))
    }
  }

  private func names(in directory: OpenFile) throws(RegistrationError) -> [FileName] {
    switch directory.names() {
    case .success(let names):
      let files = names.filter(\.isRegistration).map { ($0.text, $0) }
      return Array(Dictionary(files) { String.inByteOrder($0.text, $1.text) ? $0 : $1 }.values)
    case .failure(let error): throw .unreadable(path: path, operation: "readdir", reason: error.description)
    }
  }
}
