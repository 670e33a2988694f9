// The first program of a Linux guest that counts its own interrupts, prints what it counted and what the kernel counted, and
// switches the machine off. Linked statically; it needs nothing but the kernel.
//
// Two threads on two processors wake each other by a futex (rescheduling IPIs), one has the other see a barrier while it is busy
// (function-call IPIs), and each waits for a periodic timer (local timer interrupts). Where there are virtio's modules in /modules,
// it reads random bytes from a virtio-rng and the blocks of a virtio-blk, each of which completes by an MSI-X interrupt. What is lost
// makes it wait for ever, or count too little: it then says so, and ends with a panic.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// Each in /modules as NAME.ko, in an order in which they can be loaded.
static const char *const modules[] = {"virtio",     "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev",
                                      "virtio_pci", "virtio-rng",  "virtio_blk"};

enum { RANDOM_READS = 200, BLOCK = 512 };

enum { ROUNDS = 2000, BARRIERS = 500, TICKS = 200, PERIOD_NANOSECONDS = 2000000 };

static atomic_int turn, busy_seen, busy_stop;
static atomic_uint ticks[2];

static void fail(const char *what) {
  printf("init: FAILED: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  // The end of the first program is a panic.
  exit(1);
}

static void pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity");
}

// Waits until it is this one's turn, and gives it to the other: half of the rounds each.
static void play(int me) {
  for (int round = 0; round < ROUNDS; round++) {
    int now;
    while ((now = atomic_load(&turn)) % 2 != me) syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
    atomic_fetch_add(&turn, 1);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  }
}

static void count_ticks(int me) {
  int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec period = {{0, PERIOD_NANOSECONDS}, {0, PERIOD_NANOSECONDS}};
  if (timer < 0 || timerfd_settime(timer, 0, &period, NULL) != 0) fail("timerfd");
  while (atomic_load(&ticks[me]) < TICKS) {
    uint64_t expired;
    if (read(timer, &expired, sizeof expired) != sizeof expired) fail("read of a timer");
    atomic_fetch_add(&ticks[me], (unsigned)expired);
  }
  close(timer);
}

static void *second(void *unused) {
  pin(1);
  play(1);
  while (!atomic_load(&busy_stop)) atomic_fetch_add(&busy_seen, 1);
  count_ticks(1);
  return unused;
}

static void first(void) {
  pin(0);
  play(0);
  for (int seen = atomic_load(&busy_seen); atomic_load(&busy_seen) == seen;) sched_yield();
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) fail("membarrier's registration");
  for (int barrier = 0; barrier < BARRIERS; barrier++)
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) fail("membarrier");
  atomic_store(&busy_stop, 1);
  count_ticks(0);
}

// Whether there are any.
static int load_modules(void) {
  int loaded = 0;
  for (size_t index = 0; index < sizeof modules / sizeof *modules; index++) {
    char path[64];
    snprintf(path, sizeof path, "/modules/%s.ko", modules[index]);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    if (syscall(SYS_finit_module, file, "", 0) != 0) fail(path);
    close(file);
    loaded++;
  }
  return loaded;
}

static void read_random(void) {
  int device = open("/dev/hwrng", O_RDONLY);
  if (device < 0) fail("/dev/hwrng");
  unsigned char bytes[64];
  for (int count = 0; count < RANDOM_READS; count++)
    if (read(device, bytes, sizeof bytes) <= 0) fail("read of /dev/hwrng");
  close(device);
  printf("init: %d reads of virtio-rng\n", RANDOM_READS);
}

// Block N has N as its text. Each is read past the cache, and the first written and read again.
static void read_disk(void) {
  int device = open("/dev/vda", O_RDWR | O_DIRECT);
  if (device < 0) fail("/dev/vda");
  char *block = aligned_alloc(4096, 4096);
  if (block == NULL) fail("memory");
  int count = 0;
  while (read(device, block, BLOCK) == BLOCK) {
    if (atoi(block) != count) {
      printf("init: block %d has %.20s\n", count, block);
      fail("the disk");
    }
    count++;
  }
  memset(block, 'w', BLOCK);
  if (pwrite(device, block, BLOCK, 0) != BLOCK || fsync(device) != 0) fail("write of /dev/vda");
  memset(block, 0, BLOCK);
  if (pread(device, block, BLOCK, 0) != BLOCK || block[BLOCK - 1] != 'w') fail("read of what was written");
  close(device);
  printf("init: %d blocks of virtio-blk\n", count);
}

// All of it is read before the first line is printed, as printing takes interrupts too.
static void print_interrupts(void) {
  static char text[16384];
  int file = open("/proc/interrupts", O_RDONLY);
  if (file < 0) fail("/proc/interrupts");
  size_t size = 0;
  for (ssize_t count; (count = read(file, text + size, sizeof text - 1 - size)) != 0; size += (size_t)count)
    if (count < 0) fail("read of /proc/interrupts");
  close(file);
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) printf("interrupts: %s\n", line);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  mkdir("/proc", 0755);
  if (mount("proc", "/proc", "proc", 0, NULL) != 0) fail("mount of /proc");
  mkdir("/dev", 0755);
  if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) != 0) fail("mount of /dev");
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("init: first program after %ld.%03ld s, %ld processors\n", (long)now.tv_sec, now.tv_nsec / 1000000, processors);
  if (processors >= 2) {
    pthread_t other;
    if (pthread_create(&other, NULL, second, NULL) != 0) fail("pthread_create");
    first();
    pthread_join(other, NULL);
    printf("init: %d wake-ups, %d barriers, %u and %u ticks\n", atomic_load(&turn), BARRIERS, atomic_load(&ticks[0]),
           atomic_load(&ticks[1]));
  } else {
    count_ticks(0);
    printf("init: %u ticks\n", atomic_load(&ticks[0]));
  }
  if (load_modules() > 0) {
    read_random();
    read_disk();
  }
  print_interrupts();
  printf("init: done\n");
  fflush(stdout);
  reboot(RB_POWER_OFF);
  fail("reboot");
}
