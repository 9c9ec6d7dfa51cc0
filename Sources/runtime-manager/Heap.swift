internal import CProcess

/// What malloc(3) keeps: as little as the Store and the calls under way need.
///
/// glibc would give each thread that allocates an arena of its own. A rebuild decodes what the runtime says of each container
/// on whatever threads the system has, so that free memory would lie in one arena while another one grows: up to 1.6 MB
/// of difference from one rebuild to the next, with 2,000 containers. Calls are on one thread, and nobody else allocates
/// much for long, so that a lock for all costs them nothing that could be measured.
enum Heap {
  /// From now on all threads share one arena. To be called before there is a second thread.
  static func shareAmongThreads() { process_use_one_arena() }

  /// Gives back what only a rebuild of the Store has needed. Takes about a millisecond, in which threads that allocate
  /// wait.
  static func giveBack() { process_trim_heap() }
}
