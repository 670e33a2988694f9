#define _GNU_SOURCE // for O_PATH
#include "CConfinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// The kernel's interface (include/uapi/linux/landlock.h of Linux 6.12; asm/unistd_64.h). The headers of the oldest system that this
// is built on (linux-libc-dev of Debian 12) lack the network, scopes and some accesses, so it is written down here.
enum {
  sys_create_ruleset = 444,
  sys_add_rule = 445,
  sys_restrict_self = 446,
  create_ruleset_version = 1 << 0,
  rule_path_beneath = 1,
  rule_net_port = 2,
};

struct ruleset_attributes {
  uint64_t files;
  uint64_t network; // since version 4
  uint64_t scopes;  // since version 6
};

struct path_rule {
  uint64_t accesses;
  int32_t parent;
} __attribute__((packed));

struct port_rule {
  uint64_t accesses;
  uint64_t port;
};

// What can be done with a file that is no folder: LANDLOCK_ACCESS_FS_EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV.
static const uint64_t file_accesses = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15;

static int answer(long result) { return result < 0 ? -errno : (int)result; }

int cconfinement_landlock_version(void) {
  return answer(syscall(sys_create_ruleset, NULL, 0, create_ruleset_version));
}

int cconfinement_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes) {
  const struct ruleset_attributes attributes = {files, network, scopes};
  // An older kernel takes a longer structure whose last members are zero.
  return answer(syscall(sys_create_ruleset, &attributes, sizeof attributes, 0));
}

int cconfinement_landlock_allow_path(int ruleset, const char *path, uint64_t accesses) {
  struct path_rule rule = {.parent = open(path, O_PATH | O_CLOEXEC)};
  if (rule.parent < 0) return -errno;
  struct stat status;
  int result = answer(fstat(rule.parent, &status));
  if (result == 0) {
    rule.accesses = S_ISDIR(status.st_mode) ? accesses : accesses & file_accesses;
    result = answer(syscall(sys_add_rule, ruleset, rule_path_beneath, &rule, 0));
  }
  // A rule is for an inode. Plan 9's file system has another one each time that a path is looked up, unless the path stays known: the
  // descriptor is kept there as long as the process is.
  struct statfs system;
  if (result < 0 || fstatfs(rule.parent, &system) < 0 || system.f_type != V9FS_MAGIC) close(rule.parent);
  return result;
}

int cconfinement_landlock_allow_port(int ruleset, uint16_t port, uint64_t accesses) {
  const struct port_rule rule = {accesses, port};
  return answer(syscall(sys_add_rule, ruleset, rule_net_port, &rule, 0));
}

int cconfinement_landlock_restrict(int ruleset) { return answer(syscall(sys_restrict_self, ruleset, 0)); }
