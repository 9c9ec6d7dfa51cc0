internal import Glibc

/// A file descriptor that closes with its last owner.
final class OpenFile: Sendable {
  let descriptor: CInt

  /// Takes ownership.
  init(owning descriptor: CInt) {
    self.descriptor = descriptor
  }

  deinit {
    _ = close(descriptor)
  }

  /// Opens for reading, following links.
  static func open(_ path: String, in directory: CInt, flags: CInt) -> Result<OpenFile, SystemError> {
    while true {
      let descriptor = openat(directory, path, O_RDONLY | O_CLOEXEC | flags)
      if descriptor >= 0 { return .success(OpenFile(owning: descriptor)) }
      let error = SystemError.last
      if error.code != EINTR { return .failure(error) }
    }
  }

  func status() -> Result<stat, SystemError> {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? .success(status) : .failure(.last)
  }

  /// Whether the directory has this name, wherever its link may lead.
  func contains(_ name: String) -> Bool {
    var status = stat()
    return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// Everything from the start on, at most `limitBytes`.
  func read(upTo limitBytes: Int) -> Result<[UInt8], SystemError> {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while content.count < limitBytes {
      let count = pread(descriptor, &chunk, min(chunk.count, limitBytes - content.count), off_t(content.count))
      if count > 0 {
        content += chunk[..<count]
      } else if count == 0 {
        break
      } else if errno != EINTR {
        return .failure(.last)
      }
    }
    return .success(content)
  }

  /// All names in a directory, `.` and `..` included, in no order.
  func names() -> Result<[FileName], SystemError> {
    // The stream closes its descriptor, hence one of its own.
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { return .failure(.last) }
    guard let stream = fdopendir(copy) else {
      let error = SystemError.last
      _ = close(copy)
      return .failure(error)
    }
    defer { closedir(stream) }

    var names: [FileName] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      names.append(FileName(bytes: withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }))
    }
    return errno == 0 ? .success(names) : .failure(.last)
  }
}
