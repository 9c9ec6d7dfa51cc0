internal import Glibc

/// An inotify instance, as the side that sets watches sees it.
///
/// Reading events is the event loop's business, through a descriptor of its own for the same instance. Setting a
/// watch looks paths up on disk and must not be done there.
struct Inotify: Sendable {
  private let file: OpenFile

  /// - Throws: ``SystemError``, for example EMFILE beyond `fs.inotify.max_user_instances`.
  init() throws(SystemError) {
    let descriptor = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
    guard descriptor >= 0 else { throw .last }
    file = OpenFile(owning: descriptor)
  }

  /// A second descriptor for reading events. The caller owns it.
  func descriptorForReading() throws(SystemError) -> CInt {
    let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
    guard descriptor >= 0 else { throw .last }
    return descriptor
  }

  /// Watches a directory, without following a link at its end. Events are added to those it is watched for already.
  func watch(_ directory: String, for events: UInt32) -> Result<CInt, SystemError> {
    let mask = events | UInt32(IN_ONLYDIR) | UInt32(IN_DONT_FOLLOW) | UInt32(IN_MASK_ADD)
    let watch = inotify_add_watch(file.descriptor, directory, mask)
    return watch >= 0 ? .success(watch) : .failure(.last)
  }

  /// A watch that is gone already is no error.
  func stopWatching(_ watch: CInt) {
    _ = inotify_rm_watch(file.descriptor, watch)
  }
}
