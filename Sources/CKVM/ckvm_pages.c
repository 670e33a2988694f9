#include "ckvm_os.h"

#include <fcntl.h>

enum { batch = 4096, page_size = 4096 };

int ckvm_touched_pages(const void *address, size_t pages, uint8_t *touched) {
  uint64_t entries[batch];
  int map = ckvm_open("/proc/self/pagemap", O_RDONLY);
  if (map < 0) return map;
  uint64_t first = (uint64_t)(uintptr_t)address / page_size;
  size_t done = 0;
  int result = 0;
  while (done < pages) {
    size_t count = pages - done < batch ? pages - done : batch;
    ssize_t size = ckvm_pread(map, entries, count * sizeof *entries, (off_t)((first + done) * sizeof *entries));
    if (size <= 0) {
      result = size < 0 ? (int)size : -EIO;
      break;
    }
    count = (size_t)size / sizeof *entries;
    for (size_t i = 0; i < count; i++) touched[done + i] = (entries[i] >> 62) != 0;
    done += count;
  }
  ckvm_close(map);
  return result;
}

bool ckvm_is_zero(const void *bytes, size_t size) {
  // Bytes are equal to those before them, and the first eight are zero.
  uint64_t first;
  if (size < sizeof first) return size == 0;
  memcpy(&first, bytes, sizeof first);
  return first == 0 && memcmp(bytes, (const char *)bytes + sizeof first, size - sizeof first) == 0;
}
