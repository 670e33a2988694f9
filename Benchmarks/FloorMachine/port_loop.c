// The port-exit round trip: a guest that does nothing else, and the loop around KVM_RUN that answers it.
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "boot.h"
#include "failure.h"

// out 0x80, al; jmp back to it.
const unsigned char floor_port_loop[4] = {0xe6, FLOOR_PORT_LOOP_PORT, 0xeb, 0xfc};

int floor_port_loop_load(floor_machine *machine, floor_error *error) {
  memcpy(machine->memory + FLOOR_PORT_LOOP_ADDRESS, floor_port_loop, sizeof floor_port_loop);
  return enter_real_mode(machine, FLOOR_PORT_LOOP_ADDRESS, error);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int floor_port_loop_run(floor_machine *machine, uint32_t exits, uint64_t *nanoseconds, floor_error *error) {
  const struct kvm_run *run = machine->vcpus[0].run;
  uint64_t start = now();
  for (uint32_t left = exits; left > 0; left--) {
    while (ioctl(machine->vcpus[0].descriptor, KVM_RUN, 0) < 0)
      if (errno != EINTR) return call_failed(error, "KVM_RUN", INTERNAL);
    if (run->exit_reason != KVM_EXIT_IO || run->io.port != FLOOR_PORT_LOOP_PORT)
      return failed(error, "the port loop left the guest for another reason than its port", INTERNAL);
  }
  *nanoseconds = now() - start;
  return 0;
}
