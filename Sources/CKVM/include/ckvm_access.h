// Single-copy accesses to memory that a guest may write at the same time. Each is one naturally aligned access, neither
// torn, repeated nor invented by the compiler; order is relaxed. The caller checks range and alignment.
#pragma once

#include <stdint.h>
#include <string.h>

#pragma clang assume_nonnull begin

static inline uint8_t ckvm_load8(const void *address) {
  return __atomic_load_n((const uint8_t *)address, __ATOMIC_RELAXED);
}
static inline uint16_t ckvm_load16(const void *address) {
  return __atomic_load_n((const uint16_t *)address, __ATOMIC_RELAXED);
}
static inline uint32_t ckvm_load32(const void *address) {
  return __atomic_load_n((const uint32_t *)address, __ATOMIC_RELAXED);
}
static inline uint64_t ckvm_load64(const void *address) {
  return __atomic_load_n((const uint64_t *)address, __ATOMIC_RELAXED);
}
static inline void ckvm_store8(void *address, uint8_t value) {
  __atomic_store_n((uint8_t *)address, value, __ATOMIC_RELAXED);
}
static inline void ckvm_store16(void *address, uint16_t value) {
  __atomic_store_n((uint16_t *)address, value, __ATOMIC_RELAXED);
}
static inline void ckvm_store32(void *address, uint32_t value) {
  __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELAXED);
}
static inline void ckvm_store64(void *address, uint64_t value) {
  __atomic_store_n((uint64_t *)address, value, __ATOMIC_RELAXED);
}

#pragma clang assume_nonnull end
