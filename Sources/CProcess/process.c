#define _GNU_SOURCE
#include "CProcess.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

int process_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0UL, 0UL, 0UL); }

/// Drops the pages of one object's segments. Pages at the ends stay: a neighbour may share them.
static int drop_unwritable_segments(struct dl_phdr_info *object, size_t size, void *unused) {
  (void)size, (void)unused;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
    uintptr_t start = (object->dlpi_addr + segment->p_vaddr + page - 1) & -page;
    uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_memsz) & -page;
    if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void process_drop_unwritable_pages(void) { dl_iterate_phdr(drop_unwritable_segments, 0); }

void process_use_one_arena(void) { mallopt(M_ARENA_MAX, 1); }

void process_trim_heap(void) { malloc_trim(0); }
