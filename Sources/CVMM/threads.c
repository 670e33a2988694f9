#define _GNU_SOURCE // for the *_np functions
#include "CVMM.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int cvmm_join_within(pthread_t thread, uint64_t nanoseconds) {
  const uint64_t second = 1000000000;
  struct timespec deadline;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  uint64_t ns = (uint64_t)deadline.tv_nsec + nanoseconds;
  deadline.tv_sec += (time_t)(ns / second);
  deadline.tv_nsec = (long)(ns % second);
  return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &deadline);
}

int cvmm_thread_id(void) { return gettid(); }

void cvmm_name_thread(const char *name) {
  char kept[16];
  snprintf(kept, sizeof kept, "%s", name);
  pthread_setname_np(pthread_self(), kept);
}

int cvmm_processor(void) { return sched_getcpu(); }

int cvmm_keep_to(int processor) {
  if (processor < 0 || processor >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int cvmm_keep_off(int processor) {
  if (processor < 0 || processor >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  memset(&set, 0xff, sizeof set);
  CPU_CLR(processor, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void cvmm_nap(void) {
  struct timespec shortest = {0, 1};
  nanosleep(&shortest, NULL);
}

int cvmm_get_affinity(cvmm_affinity *affinity) {
  return pthread_getaffinity_np(pthread_self(), sizeof affinity->processors, &affinity->processors);
}

int cvmm_set_affinity(const cvmm_affinity *affinity) {
  return pthread_setaffinity_np(pthread_self(), sizeof affinity->processors, &affinity->processors);
}
