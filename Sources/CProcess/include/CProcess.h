// What Swift cannot call itself.

/// prctl(2), PR_SET_DUMPABLE. It takes a variable number of arguments.
int process_set_dumpable(int dumpable);

/// Drops the pages of the program, and of the libraries that it has loaded, that are never written to: the next use maps
/// them again. By dl_iterate_phdr(3), an extension of GNU's that Swift does not see.
void process_drop_unwritable_pages(void);

/// mallopt(3), M_ARENA_MAX: arenas that threads have already stay theirs. An extension of GNU's that Swift does not see.
void process_use_one_arena(void);

/// malloc_trim(3): gives free memory of every arena back to the kernel. An extension of GNU's that Swift does not see.
void process_trim_heap(void);
