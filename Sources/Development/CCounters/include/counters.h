#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/// Allocations of the calling thread so far; always 0 if this platform does not count them.
uint64_t counters_allocations(void);

/// Whether this platform counts allocations.
bool counters_counts_allocations(void);

/// Opens the processor's count of the instructions that the calling thread executes outside the
/// kernel. Returns a descriptor; -1 if there is no such count, as on most virtual machines.
int counters_open_instructions(void);

/// Instructions counted so far; 0 if the descriptor cannot be read.
uint64_t counters_instructions(int descriptor);

/// Whether the program runs under callgrind and was built with its header.
bool counters_under_callgrind(void);

/// Under callgrind: sets the counts to zero.
void counters_callgrind_zero(void);

/// Under callgrind: writes the counts to a new file with `name` in its name.
void counters_callgrind_dump(const char *name);

/// Processor time of the calling thread in nanoseconds.
uint64_t counters_thread_nanoseconds(void);

#endif
