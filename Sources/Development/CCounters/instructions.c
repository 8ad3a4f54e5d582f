#define _GNU_SOURCE
#include "counters.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define HAS_CALLGRIND 1
#endif

#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/syscall.h>

int counters_open_instructions(void) {
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}
#else
int counters_open_instructions(void) { return -1; }
#endif

uint64_t counters_instructions(int descriptor) {
  uint64_t count = 0;
  if (read(descriptor, &count, sizeof count) != sizeof count) return 0;
  return count;
}

#ifdef HAS_CALLGRIND
bool counters_under_callgrind(void) { return RUNNING_ON_VALGRIND != 0; }
void counters_callgrind_zero(void) { CALLGRIND_ZERO_STATS; }
void counters_callgrind_dump(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
#else
bool counters_under_callgrind(void) { return false; }
void counters_callgrind_zero(void) {}
void counters_callgrind_dump(const char *name) { (void)name; }
#endif

uint64_t counters_thread_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
