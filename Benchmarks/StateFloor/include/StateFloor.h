// The least that takes the state of a machine: the ioctls, one after another, into memory that is there already.
#pragma once
#include <stdint.h>

typedef struct state_floor state_floor;

// Builds a machine with that many vCPUs and the interrupt controllers in the kernel, which never runs. NULL with the name
// of the call that failed in *what and its errno in *number.
state_floor *state_floor_open(uint32_t vcpus, const char **what, int *number);
void state_floor_close(state_floor *floor);

// Takes all of its state once, memory apart, and says how long that took by CLOCK_MONOTONIC. Returns 0, or -1 with *what
// and *number as above.
int state_floor_capture(state_floor *floor, uint64_t *nanoseconds, const char **what, int *number);
