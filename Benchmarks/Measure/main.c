// measure SECONDS OUTPUT PROGRAM ARGUMENTS...: runs a program once and prints one line of figures,
//     NANOSECONDS PEAK_KIB exited|signalled|timeout NUMBER
//
// NANOSECONDS is the wall time from before the spawn to after the wait, PEAK_KIB the largest resident set, NUMBER the
// exit status or the signal. The program's standard output and error go to the file OUTPUT.
//
// Why a program of its own: the kernel takes over a process's peak resident set when it calls execve (exec_mmap), so what
// a child reports is never less than its parent had. This parent has next to nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// sysexits.h: EX_USAGE, EX_OSERR.
enum { USAGE = 64, CALL_FAILED = 71 };

static int call_failed(const char *call, int number) {
  fprintf(stderr, "measure: %s: %s (errno %d)\n", call, strerror(number), number);
  return CALL_FAILED;
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int start(pid_t *child, const char *output, char **arguments) {
  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return error;
  error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!error)
    error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (!error) error = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  if (!error) error = posix_spawn(child, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Whether the child ended before the limit; -1 where it cannot be told.
static int ends_within(pid_t child, int milliseconds) {
  int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
  if (descriptor < 0) return -1;
  struct pollfd poll_descriptor = {.fd = descriptor, .events = POLLIN};
  int ready;
  do ready = poll(&poll_descriptor, 1, milliseconds);
  while (ready < 0 && errno == EINTR);
  int error = errno;
  close(descriptor);
  errno = error;
  return ready;
}

int main(int count, char **arguments) {
  long seconds = count >= 4 ? strtol(arguments[1], NULL, 10) : 0;
  if (seconds < 1 || seconds > 3600) {
    fputs("usage: measure SECONDS OUTPUT PROGRAM ARGUMENTS..., SECONDS from 1 to 3600\n", stderr);
    return USAGE;
  }
  pid_t child;
  int64_t begin = now();
  int error = start(&child, arguments[2], arguments + 3);
  if (error) return call_failed(arguments[3], error);
  int ended = ends_within(child, (int)seconds * 1000);
  if (ended <= 0) {
    int number = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (ended < 0) return call_failed("waiting for the program", number);
    printf("%lld 0 timeout %ld\n", (long long)(now() - begin), seconds);
    return 0;
  }
  int status;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) < 0) return call_failed("wait4", errno);
  int64_t end = now();
  int exited = WIFEXITED(status);
  printf("%lld %ld %s %d\n", (long long)(end - begin), usage.ru_maxrss, exited ? "exited" : "signalled",
         exited ? WEXITSTATUS(status) : WTERMSIG(status));
  return 0;
}
