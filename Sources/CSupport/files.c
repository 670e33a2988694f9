#define _GNU_SOURCE // for O_TMPFILE, linkat's flags and statx
#include "CSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// Where a descriptor of this process has a name.
static void name_of(int descriptor, char *name, size_t size) {
  snprintf(name, size, "/proc/self/fd/%d", descriptor);
}

int csupport_open_unnamed(const char *folder, unsigned mode) {
  int descriptor = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  if (descriptor < 0) return -errno;
  char name[32];
  name_of(descriptor, name, sizeof name);
  if (access(name, F_OK) == 0) return descriptor;
  close(descriptor);
  return -EOPNOTSUPP;
}

int csupport_link_unnamed(int descriptor, const char *path) {
  char name[32];
  name_of(descriptor, name, sizeof name);
  return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

// Whether a file has one of these attributes.
static int has_attribute(const char *path, int flags, uint64_t attributes) {
  struct statx status;
  if (statx(AT_FDCWD, path, flags, 0, &status) != 0) return 0;
  return (status.stx_attributes_mask & status.stx_attributes & attributes) != 0;
}

int csupport_is_mounted(const char *path) {
  return has_attribute(path, AT_SYMLINK_NOFOLLOW, STATX_ATTR_MOUNT_ROOT);
}

int csupport_keeps_names(const char *folder) {
  return has_attribute(folder, 0, STATX_ATTR_APPEND);
}
