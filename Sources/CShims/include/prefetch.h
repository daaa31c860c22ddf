// Swift has no prefetch of its own: these inline into the caller.
#ifndef MYRIAD_PREFETCH_H
#define MYRIAD_PREFETCH_H

static inline void prefetch_read(const void *address) { __builtin_prefetch(address, 0, 3); }
static inline void prefetch_write(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
