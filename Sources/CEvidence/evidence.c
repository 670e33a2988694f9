#define _GNU_SOURCE // for gettid
#include "CEvidence.h"

#include <errno.h>
#include <linux/mount.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

// By number: older C libraries have no words for these calls.
int cevidence_mount(const char *type) {
  int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) return -errno;
  int answer = (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (answer == 0) {
    answer = (int)syscall(
        SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }
  if (answer < 0) answer = -errno;
  close(context);
  return answer;
}

int cevidence_try_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno; }

int cevidence_thread_id(void) { return gettid(); }
