#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/// Allocations that the calling thread has made so far; 0 for ever where the C library lets nobody count them.
uint64_t counters_allocations(void);

/// Whether allocations are counted.
bool counters_counts_allocations(void);

/// Opens the processor's count of the instructions that the calling thread executes outside the kernel.
/// Returns a descriptor, -1 where there is no such count (most virtual machines).
int counters_open_instructions(void);

/// Instructions counted so far.
uint64_t counters_instructions(int descriptor);

/// Whether the program runs under callgrind and was built where its header was.
bool counters_under_callgrind(void);

/// Under callgrind: forgets what was counted.
void counters_callgrind_zero(void);

/// Under callgrind: writes what was counted to a file of its own, which bears the name.
void counters_callgrind_dump(const char *name);

/// Nanoseconds for which the calling thread has had a processor.
uint64_t counters_thread_nanoseconds(void);

#endif
