#include <sys/prctl.h>

/// prctl(2) takes a variable number of arguments, which Swift cannot call.
static inline int process_set_dumpable(int dumpable) {
  return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0UL, 0UL, 0UL);
}
