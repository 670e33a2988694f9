// The one place that calls ioctl(2).
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "ckvm_compat.h"

// ioctl with an integer argument. Returns the result or -errno.
static inline int ckvm_ioctl_value(int fd, unsigned long request, unsigned long argument) {
  int result = ioctl(fd, request, argument);
  return result < 0 ? -errno : result;
}

// ioctl with a pointer argument (NULL where the API allows it). Returns the result or -errno.
static inline int ckvm_ioctl_pointer(int fd, unsigned long request, const void *_Nullable argument) {
  int result = ioctl(fd, request, argument);
  return result < 0 ? -errno : result;
}
