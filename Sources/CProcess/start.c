#define _GNU_SOURCE // for O_PATH
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

static int argument_count;
static char **arguments;

// A closed standard stream is opened on /dev/null. Otherwise the next file that is opened would get its number: a report,
// or /dev/kvm, into which messages and the guest's characters would go. Where there is no /dev/null, the number is taken by
// a descriptor that can be neither read nor written.
static void open_standard_streams(void) {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
    if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free, and all below are taken.
    if (open("/dev/null", O_RDWR) < 0) (void)open("/", O_PATH);
  }
}

static void refuse(const char *message, size_t length) {
  ssize_t written = write(STDERR_FILENO, message, length);
  (void)written; // There is nobody else to tell.
  _exit(69);     // As docs/command-line.md has it: this host cannot.
}

// The main thread's stack may grow as far as it is allowed at the moment. A limit below what the runtime needs would end the
// program by SIGSEGV, without a word.
static void ensure_stack(void) {
  static const char message[] = "lapwing: the stack may have less than 128 KiB; use ulimit -s 8192\n";
  const rlim_t least = 128 << 10, usual = 8 << 20;
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= least) return;
  // Root may raise both.
  struct rlimit more = {usual, limit.rlim_max < usual ? usual : limit.rlim_max};
  if (setrlimit(RLIMIT_STACK, &more) == 0) return;
  more = (struct rlimit){limit.rlim_max, limit.rlim_max};
  if (limit.rlim_max >= least && setrlimit(RLIMIT_STACK, &more) == 0) return;
  refuse(message, sizeof message - 1);
}

// Where the runtime gets no memory it ends the program by SIGABRT or SIGSEGV. What takes much is asked for beforehand; what is
// left has room under these limits.
static void ensure_memory(void) {
  static const char space[] = "lapwing: the address space may have less than 64 MiB; raise ulimit -v\n";
  static const char data[] = "lapwing: data may have less than 32 MiB; raise ulimit -d\n";
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < 64 << 20) refuse(space, sizeof space - 1);
  if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur < 32 << 20) refuse(data, sizeof data - 1);
}

// Some programs start others with signals blocked (libdispatch's threads have them so). Those that ask a program to end would
// then wait for good, wherever nothing else looks for them.
static void unblock_ending_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

// A signal that asks for snapshots (--snapshot-on) is kept until the guest is there, from the first moment on: before it is held
// back by whoever takes them, images and injections are read, which may come from a pipe, and by default it ends the program.
static void hold_snapshot_signal(void) {
  static const char option[] = "--snapshot-on";
  static const struct {
    const char *name;
    int number;
  } signals[] = {{"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"HUP", SIGHUP}, {"QUIT", SIGQUIT}};
  for (int index = 1; index < argument_count; index++) {
    if (strncmp(arguments[index], option, sizeof option - 1) != 0) continue;
    const char *value = arguments[index] + sizeof option - 1;
    if (*value == '=') value++;
    else if (*value == '\0' && index + 1 < argument_count) value = arguments[index + 1];
    if (strncasecmp(value, "SIG", 3) == 0) value += 3;
    for (size_t known = 0; known < sizeof signals / sizeof *signals; known++) {
      if (strcasecmp(value, signals[known].name) != 0) continue;
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, signals[known].number);
      sigprocmask(SIG_BLOCK, &set, NULL);
    }
  }
}

// What is large is an image, an initial RAM disk or a page of a stream, and is needed once. Without a fixed threshold the C library
// keeps the room of the first such array for the next (mallopt(3), M_MMAP_THRESHOLD).
static void give_back_large_arrays(void) { mallopt(M_MMAP_THRESHOLD, 1 << 20); }

// The C library hands a constructor what it hands main. The first number that a program may use is 101.
__attribute__((constructor(101))) static void start(int count, char **values) {
  argument_count = count;
  arguments = values;
  open_standard_streams();
  ensure_stack();
  ensure_memory();
  unblock_ending_signals();
  hold_snapshot_signal();
  give_back_large_arrays();
  // The Swift runtime looks for its own file there, and aborts where it finds nothing; nothing of that folder is used by a
  // static executable.
  if (access("/proc/self/exe", F_OK) != 0) setenv("SWIFT_ROOT", "/", 0);
}

int cprocess_argument_count(void) { return argument_count; }

const char *cprocess_argument(int index) {
  return index >= 0 && index < argument_count ? arguments[index] : NULL;
}

void cprocess_ignore_write_signals(void) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

#ifndef LAPWING_COMMIT
#define LAPWING_COMMIT ""
#endif

const char *cprocess_commit(void) { return LAPWING_COMMIT; }
