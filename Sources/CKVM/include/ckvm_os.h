// The system calls other than ioctl, with the same answer: the result, or -errno.
#pragma once

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#pragma clang assume_nonnull begin

// open(2), close-on-exec. flags: O_RDONLY, O_RDWR.
static inline int ckvm_open(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

// close(2). Linux releases the descriptor whatever the answer, so it is not to be repeated.
static inline void ckvm_close(int fd) { close(fd); }

// pread(2), repeated when a signal interrupts it.
static inline ssize_t ckvm_pread(int fd, void *buffer, size_t count, off_t offset) {
  ssize_t result;
  do result = pread(fd, buffer, count, offset);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}

// mmap(2) of a descriptor's first bytes, shared. Stores the address; returns 0 or -errno.
static inline int ckvm_map_shared(int fd, size_t size, void *_Nullable *_Nonnull address) {
  void *result = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (result == MAP_FAILED) return -errno;
  *address = result;
  return 0;
}

// mmap(2) of private zeroed memory that takes no swap until it is touched. Stores the address; returns 0 or -errno.
static inline int ckvm_map_anonymous(size_t size, void *_Nullable *_Nonnull address) {
  void *result = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (result == MAP_FAILED) return -errno;
  *address = result;
  return 0;
}

// munmap(2). Cannot fail for a range that mmap returned.
static inline void ckvm_unmap(void *address, size_t size) { munmap(address, size); }

// madvise(2) MADV_DONTNEED: private anonymous pages read as zero afterwards. Returns 0 or -errno.
static inline int ckvm_discard(void *address, size_t size) {
  return madvise(address, size, MADV_DONTNEED) < 0 ? -errno : 0;
}

// Which pages of a private mapping the process has touched, a byte a page, 1 for yes, as /proc/self/pagemap has it
// (kernel documentation, admin-guide/mm/pagemap.rst: bit 63 present, bit 62 swapped). Returns 0 or -errno.
int ckvm_touched_pages(const void *address, size_t pages, uint8_t *touched);

// Whether size bytes, a multiple of 8, are all zero.
bool ckvm_is_zero(const void *bytes, size_t size);

// uname(2)'s release, NUL-terminated into a buffer of capacity bytes (at least 1).
static inline void ckvm_kernel_release(char *buffer, size_t capacity) {
  struct utsname names;
  buffer[0] = 0;
  if (uname(&names) == 0) {
    strncpy(buffer, names.release, capacity - 1);
    buffer[capacity - 1] = 0;
  }
}

// CPUID leaf 0x40000000 names the hypervisor where bit 31 of leaf 1's ECX says that there is one. 0 where there is none.
static inline int ckvm_hypervisor(char name[_Nonnull 13]) {
  unsigned eax, ebx, ecx, edx;
  __cpuid(1, eax, ebx, ecx, edx);
  if (!(ecx >> 31))
    return 0;
  __cpuid(0x40000000, eax, ebx, ecx, edx);
  memcpy(name, &ebx, 4);
  memcpy(name + 4, &ecx, 4);
  memcpy(name + 8, &edx, 4);
  name[12] = 0;
  return 1;
}

#pragma clang assume_nonnull end
