// floor run NAME: a built-in guest on the floor's machine.
// floor image NAME: that guest's file, on standard output, for other VMMs.
// floor port-exits COUNT: what one exit to user space and back costs.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "FloorMachine.h"
#include "GuestImages.h"

// sysexits.h: EX_USAGE, EX_SOFTWARE; and what timeout(1) ends with.
enum { SUCCESS = 0, GUEST_FAILED = 1, USAGE = 64, INTERNAL = 70, TIME_LIMIT = 124 };
enum { LIMIT_SECONDS = 60, BATCHES = 20 };

static int report(const floor_error *error) {
  if (error->number)
    fprintf(stderr, "floor: %s: %s (errno %d)\n", error->what, strerror(error->number), error->number);
  else
    fprintf(stderr, "floor: %s\n", error->what);
  return error->status;
}

static int usage(void) {
  fputs("usage: floor run NAME | floor image NAME | floor port-exits COUNT\n", stderr);
  return USAGE;
}

static void time_limit(int signal) {
  (void)signal;
  static const char message[] = "floor: the time limit passed\n";
  ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
  (void)ignored;
  _exit(TIME_LIMIT);
}

static const struct lapwing_guest_image *find(const char *name) {
  for (size_t index = 0; index < lapwing_guest_image_count; index++)
    if (strcmp(lapwing_guest_images[index].name, name) == 0) return &lapwing_guest_images[index];
  fprintf(stderr, "floor: there is no guest '%s'; there are:", name);
  for (size_t index = 0; index < lapwing_guest_image_count; index++)
    fprintf(stderr, " %s", lapwing_guest_images[index].name);
  fputc('\n', stderr);
  return NULL;
}

static int judge(const floor_outcome *outcome) {
  switch (outcome->ending) {
    case FLOOR_FINISHED:
    case FLOOR_DEBUG_EXIT:
      if (outcome->value == 0) return SUCCESS;
      fprintf(stderr, "floor: the guest ended with %u (0 would be success)\n", outcome->value);
      return GUEST_FAILED;
    case FLOOR_UNANSWERED:
      fprintf(stderr, "floor: KVM came back with exit reason %u, which is not answered here\n", outcome->value);
      return GUEST_FAILED;
  }
  return GUEST_FAILED;
}

static int run(const char *name) {
  const struct lapwing_guest_image *image = find(name);
  if (!image) return USAGE;
  floor_machine machine;
  floor_error error;
  floor_outcome outcome;
  if (floor_machine_open(&machine, &(floor_configuration){.vcpus = 1}, &error) < 0) return report(&error);
  int status = floor_machine_load(&machine, image->bytes, image->size, &error) < 0 ||
                       floor_machine_run(&machine, &outcome, &error) < 0
                   ? report(&error)
                   : judge(&outcome);
  floor_machine_close(&machine);
  return status;
}

static int image(const char *name) {
  const struct lapwing_guest_image *image = find(name);
  if (!image) return USAGE;
  if (fwrite(image->bytes, 1, image->size, stdout) == image->size && fflush(stdout) == 0) return SUCCESS;
  return report(&(floor_error){"writing the image", errno, INTERNAL});
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

// Runs the batches and prints their median, after one that is not counted.
static int measure(floor_machine *machine, uint32_t exits, floor_error *error) {
  double costs[BATCHES];
  uint64_t nanoseconds;
  if (floor_port_loop_load(machine, error) < 0) return -1;
  if (floor_port_loop_run(machine, exits, &nanoseconds, error) < 0) return -1;
  for (int batch = 0; batch < BATCHES; batch++) {
    if (floor_port_loop_run(machine, exits, &nanoseconds, error) < 0) return -1;
    costs[batch] = (double)nanoseconds / exits;
  }
  qsort(costs, BATCHES, sizeof costs[0], ascending);
  printf("%.0f ns a port exit: median of %d batches of %u (lowest %.0f, highest %.0f)\n",
         (costs[BATCHES / 2 - 1] + costs[BATCHES / 2]) / 2, BATCHES, exits, costs[0], costs[BATCHES - 1]);
  return 0;
}

static int port_exits(const char *text) {
  char *end;
  errno = 0;
  long count = strtol(text, &end, 10);
  if (errno || *end || end == text || count < BATCHES || count > 100000000) {
    fprintf(stderr, "floor: COUNT is from %d to 100000000, not '%s'\n", BATCHES, text);
    return USAGE;
  }
  floor_machine machine;
  floor_error error;
  if (floor_machine_open(&machine, &(floor_configuration){.vcpus = 1}, &error) < 0) return report(&error);
  int status = measure(&machine, (uint32_t)(count / BATCHES), &error) < 0 ? report(&error) : SUCCESS;
  floor_machine_close(&machine);
  return status;
}

int main(int count, char **arguments) {
  if (count != 3) return usage();
  signal(SIGALRM, time_limit);
  alarm(LIMIT_SECONDS);
  if (strcmp(arguments[1], "run") == 0) return run(arguments[2]);
  if (strcmp(arguments[1], "image") == 0) return image(arguments[2]);
  if (strcmp(arguments[1], "port-exits") == 0) return port_exits(arguments[2]);
  return usage();
}
