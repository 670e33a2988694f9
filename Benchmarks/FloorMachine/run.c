// Entering the guest and answering its exits.
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "failure.h"
#include "layout.h"
#include "requests.h"

enum { TRANSMITTER = 0x3f8, LINE_STATUS = 0x3fd, DEBUG_EXIT = 0xf4, TRANSMITTER_EMPTY = 0x60 };

static int print(const unsigned char *text, size_t count, floor_error *error) {
  while (count > 0) {
    ssize_t written = write(STDOUT_FILENO, text, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return call_failed(error, "write to standard output", INTERNAL);
    text += written;
    count -= (size_t)written;
  }
  return 0;
}

// A write of the guest's to a port: 1 where it ended the guest, 0 to go on, -1 for an error.
static int answer_write(
    floor_machine *machine, uint32_t vcpu, uint16_t port, uint32_t value, floor_outcome *outcome, floor_error *error) {
  switch (port) {
    case TRANSMITTER:
      return print((const unsigned char *)&value, 1, error);
    case DEBUG_EXIT:
      *outcome = (floor_outcome){FLOOR_DEBUG_EXIT, value};
      return 1;
    case LAPWING_COMMAND_PORT:
      if ((value & 0xff) == LAPWING_COMMAND_FINISH) {
        *outcome = (floor_outcome){FLOOR_FINISHED, value >> 8};
        return 1;
      }
      if ((value & 0xff) == LAPWING_COMMAND_REQUEST)
        carry_out(machine, (lapwing_request *)(machine->memory + REQUESTS) + vcpu);
      return 0;
    default:
      return 0;
  }
}

static int answer_port(floor_machine *machine, uint32_t vcpu, floor_outcome *outcome, floor_error *error) {
  struct kvm_run *run = machine->vcpus[vcpu].run;
  unsigned char *data = (unsigned char *)run + run->io.data_offset;
  size_t size = run->io.size, count = run->io.count;
  if (run->io.direction == KVM_EXIT_IO_IN) {
    memset(data, run->io.port == LINE_STATUS ? TRANSMITTER_EMPTY : run->io.port == DEBUG_EXIT ? 0 : 0xff, size * count);
    return 0;
  }
  if (run->io.port == TRANSMITTER && size == 1) return print(data, count, error);
  for (size_t item = 0; item < count; item++) {
    uint32_t value = 0;
    memcpy(&value, data + item * size, size);
    int answer = answer_write(machine, vcpu, run->io.port, value, outcome, error);
    if (answer != 0) return answer;
  }
  return 0;
}

// A guest's run, which all threads share. Who ends it fills in how, and takes the others out of the guest.
struct run {
  floor_machine *machine;
  atomic_int has_ended;
  pthread_t threads[FLOOR_VCPU_LIMIT];
  int result;
  floor_outcome *outcome;
  floor_error *error;
};

struct thread {
  struct run *run;
  uint32_t vcpu;
};

// To interrupt a thread's system call is all that the signal is for.
static void ignore(int signal) { (void)signal; }

// Takes the vCPUs from `first` on out of the guest, but for one that is out.
static void take_out(struct run *run, uint32_t first, uint32_t but) {
  for (uint32_t vcpu = first; vcpu < run->machine->configuration.vcpus; vcpu++) {
    // Seen by a thread that is about to enter the guest; one that is there gets the signal.
    run->machine->vcpus[vcpu].run->immediate_exit = 1;
    if (vcpu != but) pthread_kill(run->threads[vcpu], SIGUSR1);
  }
}

static void end(struct run *run, uint32_t vcpu, int result, const floor_outcome *outcome, const floor_error *error) {
  if (atomic_exchange(&run->has_ended, 1)) return;
  run->result = result;
  *run->outcome = *outcome;
  *run->error = *error;
  take_out(run, 0, vcpu);
}

static void *run_vcpu(void *argument) {
  struct thread *thread = argument;
  struct run *run = thread->run;
  floor_vcpu *vcpu = &run->machine->vcpus[thread->vcpu];
  floor_outcome outcome = {0};
  floor_error error = {0};
  int answer = 0;
  while (answer == 0 && !atomic_load_explicit(&run->has_ended, memory_order_relaxed)) {
    if (ioctl(vcpu->descriptor, KVM_RUN, 0) < 0) {
      if (errno != EINTR && errno != EAGAIN) answer = call_failed(&error, "KVM_RUN", INTERNAL);
      continue;
    }
    switch (vcpu->run->exit_reason) {
      case KVM_EXIT_IO:
        answer = answer_port(run->machine, thread->vcpu, &outcome, &error);
        break;
      case KVM_EXIT_MMIO:
        // Nobody is there: ones.
        if (!vcpu->run->mmio.is_write) memset(vcpu->run->mmio.data, 0xff, sizeof vcpu->run->mmio.data);
        break;
      default:
        outcome = (floor_outcome){FLOOR_UNANSWERED, vcpu->run->exit_reason};
        answer = 1;
    }
  }
  if (answer != 0) end(run, thread->vcpu, answer, &outcome, &error);
  return NULL;
}

int floor_machine_run(floor_machine *machine, floor_outcome *outcome, floor_error *error) {
  struct run run = {.machine = machine, .outcome = outcome, .error = error};
  struct thread threads[FLOOR_VCPU_LIMIT];
  struct sigaction action = {.sa_handler = ignore};
  if (sigaction(SIGUSR1, &action, NULL) < 0) return call_failed(error, "sigaction", INTERNAL);
  // The bootstrap processor's thread last: nothing runs, and nothing ends, before all are there.
  uint32_t first = machine->configuration.vcpus;
  while (first > 0) {
    threads[first - 1] = (struct thread){&run, first - 1};
    errno = pthread_create(&run.threads[first - 1], NULL, run_vcpu, &threads[first - 1]);
    if (errno != 0) break;
    first--;
  }
  if (first > 0) {
    run.result = call_failed(error, "pthread_create", INTERNAL);
    atomic_store(&run.has_ended, 1);
    take_out(&run, first, UINT32_MAX);
  }
  for (; first < machine->configuration.vcpus; first++) pthread_join(run.threads[first], NULL);
  return run.result < 0 ? -1 : 0;
}
