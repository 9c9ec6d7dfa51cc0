internal import CProcess

/// Gives back memory that only a rebuild of the Store has needed.
///
/// A rebuild decodes what the runtime says of each container on threads of its own, whose arenas glibc would keep: about as
/// much again as the records that stay.
enum FreeMemory {
  /// Takes about a millisecond, in which threads that allocate may wait for the arena that is being trimmed.
  static func giveBack() { process_trim_heap() }
}
