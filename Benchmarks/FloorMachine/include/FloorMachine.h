// A VMM in C with nothing around the calls of KVM: the floor that Lapwing's cost is measured from.
//
// It builds the machine that `lapwing run` builds (vCPUs on threads of their own, 64 MiB, interrupt controllers in the
// kernel) and answers what the small guests ask: the console, the command port with MSIs, irqfds and ioeventfds, the
// debug exit. It shares no code with Lapwing.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct kvm_run;

// What failed, and how a program that ends because of it exits (sysexits.h).
typedef struct floor_error {
  // A call's name or a sentence; never null once something has failed.
  const char *what;
  // The errno of the call; 0 where it is not a call that failed.
  int number;
  // 65 for an image that cannot be booted, 69 for a host that cannot, 70 for the rest.
  int status;
} floor_error;

#define FLOOR_VCPU_LIMIT 8

// What a machine is made of.
typedef struct floor_configuration {
  // 1 to FLOOR_VCPU_LIMIT.
  uint32_t vcpus;
  // Whether guests are told of xAPIC alone, not of x2APIC.
  int xapic;
  // Words for the guest, at most LAPWING_ARGUMENT_LIMIT - 1 bytes of them; null for none.
  const char *arguments;
} floor_configuration;

typedef struct floor_vcpu {
  int descriptor;
  struct kvm_run *run;
} floor_vcpu;

typedef struct floor_machine {
  floor_configuration configuration;
  int kvm;
  int vm;
  size_t run_size;
  floor_vcpu vcpus[FLOOR_VCPU_LIMIT];
  unsigned char *memory;
  // The irqfd and the ioeventfd that the guest has asked for; -1 before.
  int irqfd;
  int io_event;
} floor_machine;

// How a guest ended.
typedef enum floor_ending {
  // It said so at the command port; the value is its status.
  FLOOR_FINISHED,
  // It wrote the value to the debug exit.
  FLOOR_DEBUG_EXIT,
  // KVM came back with an exit that is not answered here; the value is the exit reason.
  FLOOR_UNANSWERED,
} floor_ending;

typedef struct floor_outcome {
  floor_ending ending;
  uint32_t value;
} floor_outcome;

// All of these return 0, or -1 with `error` filled in.

// Builds the machine, without a guest. What was built so far is released where it fails.
int floor_machine_open(floor_machine *machine, const floor_configuration *configuration, floor_error *error);
void floor_machine_close(floor_machine *machine);

// Loads a 64-bit ELF image of Lapwing's contract or a 32-bit ELF image with a Multiboot header, with all that it is to
// find in memory, and puts the vCPU at its entry.
int floor_machine_load(floor_machine *machine, const unsigned char *image, size_t size, floor_error *error);

// Runs the guest to its end, on a thread a vCPU. The console leads to standard output.
int floor_machine_run(floor_machine *machine, floor_outcome *outcome, floor_error *error);

// Copies the values that the guest has noted in its log, in order and at most `capacity`; says how many there are.
size_t floor_machine_values(const floor_machine *machine, uint64_t *values, size_t capacity);

// The frequency of the guest's TSC in kHz.
int floor_machine_tsc_khz(const floor_machine *machine, uint32_t *khz, floor_error *error);

// The guest of the port-exit benchmark: four bytes of real-mode code at this address that write AL to this port for ever.
#define FLOOR_PORT_LOOP_ADDRESS 0x1000
#define FLOOR_PORT_LOOP_PORT 0x80
extern const unsigned char floor_port_loop[4];

int floor_port_loop_load(floor_machine *machine, floor_error *error);

// Answers `exits` exits of that guest on the calling thread, and says how long that took by CLOCK_MONOTONIC.
int floor_port_loop_run(floor_machine *machine, uint32_t exits, uint64_t *nanoseconds, floor_error *error);
