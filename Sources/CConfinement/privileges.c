#define _GNU_SOURCE // for syscall
#include "CConfinement.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int cconfinement_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno; }

// By number: the C library has no words for these calls (capget(2)).
static int get(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capget, &header, data) == 0 ? 0 : -errno;
}

uint64_t cconfinement_capabilities(void) {
  struct __user_cap_data_struct data[2] = {{0}};
  if (get(data) < 0) return 0;
  return (uint64_t)data[1].effective << 32 | data[0].effective;
}

int cconfinement_keep_capabilities(uint64_t kept) {
  struct __user_cap_data_struct data[2] = {{0}};
  int result = get(data);
  if (result < 0) return result;
  // Most users have none.
  if (!(data[0].permitted | data[1].permitted | data[0].inheritable | data[1].inheritable)) return 0;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (data[0].effective & 1u << CAP_SETPCAP) {
    // The kernel says EINVAL of the first number that it does not know.
    for (int number = 0; number < 64; number++)
      if (!(kept >> number & 1) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0 && errno == EINVAL) break;
  }
  for (int half = 0; half < 2; half++) {
    uint32_t mask = (uint32_t)(kept >> 32 * half);
    data[half].permitted &= mask;
    data[half].effective &= mask;
    data[half].inheritable = 0;
  }
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}
