// Entering the guest and answering its exits.
#include <linux/kvm.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "failure.h"
#include "layout.h"

enum { TRANSMITTER = 0x3f8, LINE_STATUS = 0x3fd, DEBUG_EXIT = 0xf4, TRANSMITTER_EMPTY = 0x60 };

// What the vCPU's thread is given and what it leaves behind.
struct thread {
  floor_machine *machine;
  floor_outcome *outcome;
  floor_error *error;
  int result;
};

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
    floor_machine *machine, uint16_t port, uint32_t value, floor_outcome *outcome, floor_error *error) {
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
        ((lapwing_request *)(machine->memory + REQUESTS))->result = -ENOSYS;
      return 0;
    default:
      return 0;
  }
}

static int answer_port(floor_machine *machine, floor_outcome *outcome, floor_error *error) {
  struct kvm_run *run = machine->run;
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
    int answer = answer_write(machine, run->io.port, value, outcome, error);
    if (answer != 0) return answer;
  }
  return 0;
}

static void *run_vcpu(void *argument) {
  struct thread *thread = argument;
  floor_machine *machine = thread->machine;
  int answer = 0;
  while (answer == 0) {
    if (ioctl(machine->vcpu, KVM_RUN, 0) < 0) {
      if (errno != EINTR && errno != EAGAIN) answer = call_failed(thread->error, "KVM_RUN", INTERNAL);
      continue;
    }
    if (machine->run->exit_reason == KVM_EXIT_IO) {
      answer = answer_port(machine, thread->outcome, thread->error);
    } else {
      *thread->outcome = (floor_outcome){FLOOR_UNANSWERED, machine->run->exit_reason};
      answer = 1;
    }
  }
  thread->result = answer;
  return NULL;
}

int floor_machine_run(floor_machine *machine, floor_outcome *outcome, floor_error *error) {
  struct thread thread = {.machine = machine, .outcome = outcome, .error = error};
  pthread_t id;
  errno = pthread_create(&id, NULL, run_vcpu, &thread);
  if (errno != 0) return call_failed(error, "pthread_create", INTERNAL);
  pthread_join(id, NULL);
  return thread.result < 0 ? -1 : 0;
}
