#include "CSupport.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

int csupport_eventfd(void) {
  int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

int csupport_signalfd(const int *numbers, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++)
    sigaddset(&set, numbers[i]);
  int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

int csupport_ignores_signal(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int csupport_take_signal(int number) {
  sigset_t set;
  const struct timespec none = {0, 0};
  sigemptyset(&set);
  sigaddset(&set, number);
  return sigtimedwait(&set, 0, &none) == number;
}

static sigset_t forgiven;

// A signal handler: it calls nothing but what signal-safety(7) allows.
static void forgive(int number) {
  (void)number;
  for (int other = 1; other < NSIG; other++)
    if (sigismember(&forgiven, other) == 1) signal(other, SIG_DFL);
}

void csupport_forgive_one_signal(const int *numbers, int count) {
  // What waits meanwhile goes on waiting: it is the second that ends it.
  struct sigaction action = {.sa_handler = forgive, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigemptyset(&forgiven);
  for (int i = 0; i < count; i++)
    sigaddset(&forgiven, numbers[i]);
  for (int i = 0; i < count; i++)
    sigaction(numbers[i], &action, NULL);
}
