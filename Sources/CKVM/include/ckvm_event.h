// eventfd(2): what irqfd and ioeventfd signal through. Results, or -errno.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#pragma clang assume_nonnull begin

// A close-on-exec, non-blocking event counter.
static inline int ckvm_eventfd(unsigned int initial) {
  int fd = eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

// Adds to the counter. EAGAIN: it would pass 2^64 - 2. EINVAL: value is 2^64 - 1.
static inline int ckvm_eventfd_write(int fd, uint64_t value) {
  ssize_t result;
  do result = write(fd, &value, sizeof value);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

// Takes the counter and leaves 0. EAGAIN: it was 0.
static inline int ckvm_eventfd_read(int fd, uint64_t *value) {
  ssize_t result;
  do result = read(fd, value, sizeof *value);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

#pragma clang assume_nonnull end
