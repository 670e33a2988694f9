// What the VMM needs of POSIX threads and the C library does not show to Swift.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // for cpu_set_t
#endif
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

// Joins `thread` if it ends within so many nanoseconds: 0, ETIMEDOUT, or another errno (pthread_clockjoin_np(3)).
int cvmm_join_within(pthread_t thread, uint64_t nanoseconds);

// The kernel's id of the calling thread (gettid(2)).
int cvmm_thread_id(void);

// Names the calling thread in debuggers and /proc; at most 15 characters count (pthread_setname_np(3)).
void cvmm_name_thread(const char *_Nonnull name);

// The host's processor that runs the calling thread (sched_getcpu(3)); -1 where the kernel does not tell.
int cvmm_processor(void);

// Keeps the calling thread to one processor of the host: 0 or an errno (pthread_setaffinity_np(3)).
int cvmm_keep_to(int processor);

// Keeps the calling thread to the processors that it may use but for this one: 0 or an errno, EINVAL where it has no
// other.
int cvmm_keep_off(int processor);

// Sleeps for the shortest time there is, by a timer of the processor that the calling thread is on (nanosleep(2)).
void cvmm_nap(void);

// The processors that a thread may use.
typedef struct cvmm_affinity {
  cpu_set_t processors;
} cvmm_affinity;

// The calling thread's: 0 or an errno (pthread_getaffinity_np(3)).
int cvmm_get_affinity(cvmm_affinity *_Nonnull affinity);

// Gives the calling thread what `cvmm_get_affinity` told: 0 or an errno.
int cvmm_set_affinity(const cvmm_affinity *_Nonnull affinity);
