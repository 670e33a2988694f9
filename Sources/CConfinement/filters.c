#define _GNU_SOURCE // for syscall
#include "CConfinement.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int cconfinement_filter(const struct sock_filter *instructions, uint16_t count) {
  // The kernel reads them only.
  const struct sock_fprog program = {count, (struct sock_filter *)(uintptr_t)instructions};
  // Without SPEC_ALLOW, kernels before 5.16 take a filter for a wish that stores be no more bypassed speculatively (SSBD), which makes
  // a guest much slower. It protects a process from code that it runs beside its secrets, such as a browser's; no such runs here: a
  // guest runs behind KVM, which has its own mitigations, and the filter is against a process that was taken over as a whole.
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
  return result == 0 ? 0 : -errno;
}

bool cconfinement_has_filters(void) {
  const uint32_t action = SECCOMP_RET_TRAP;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int cconfinement_process_id(void) { return getpid(); }

static int exit_status;

// A signal handler on whichever thread: it uses nothing but what every filter lets through.
static void refused(int number, siginfo_t *information, void *context) {
  (void)context;
  static const char before[] = "lapwing: a thread was ended at system call ", after[] = ", which its filter refuses (docs/confinement.md)\n";
  // Somebody may send it, too (SYS_SECCOMP is 1).
  if (information->si_code != 1) {
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  char text[sizeof before + sizeof after + 10], digits[10];
  int count = 0;
  for (unsigned rest = (unsigned)information->si_syscall; count == 0 || rest > 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
  memcpy(text, before, sizeof before - 1);
  size_t length = sizeof before - 1;
  while (count > 0) text[length++] = digits[--count];
  memcpy(text + length, after, sizeof after - 1);
  ssize_t written = write(STDERR_FILENO, text, length + sizeof after - 1);
  (void)written; // There is nobody else to tell.
  _exit(exit_status);
}

void cconfinement_tell_of_refusals(int status) {
  exit_status = status;
  struct sigaction action = {.sa_sigaction = refused, .sa_flags = SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  sigaction(SIGSYS, &action, NULL);
}
