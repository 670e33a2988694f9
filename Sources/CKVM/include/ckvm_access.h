// Single-copy accesses to memory that a guest may write at the same time. Each is one naturally aligned access, neither
// torn, repeated nor invented by the compiler. Loads acquire and stores release: what the guest wrote before a word that it
// wrote last is seen by whoever has read that word first, and the other way round. On x86 that costs nothing but what the
// compiler may not move. The caller checks range and alignment.
#pragma once

#include <stdint.h>
#include <string.h>

#pragma clang assume_nonnull begin

static inline uint8_t ckvm_load8(const void *address) {
  return __atomic_load_n((const uint8_t *)address, __ATOMIC_ACQUIRE);
}
static inline uint16_t ckvm_load16(const void *address) {
  return __atomic_load_n((const uint16_t *)address, __ATOMIC_ACQUIRE);
}
static inline uint32_t ckvm_load32(const void *address) {
  return __atomic_load_n((const uint32_t *)address, __ATOMIC_ACQUIRE);
}
static inline uint64_t ckvm_load64(const void *address) {
  return __atomic_load_n((const uint64_t *)address, __ATOMIC_ACQUIRE);
}
static inline void ckvm_store8(void *address, uint8_t value) {
  __atomic_store_n((uint8_t *)address, value, __ATOMIC_RELEASE);
}
static inline void ckvm_store16(void *address, uint16_t value) {
  __atomic_store_n((uint16_t *)address, value, __ATOMIC_RELEASE);
}
static inline void ckvm_store32(void *address, uint32_t value) {
  __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELEASE);
}
static inline void ckvm_store64(void *address, uint64_t value) {
  __atomic_store_n((uint64_t *)address, value, __ATOMIC_RELEASE);
}

#pragma clang assume_nonnull end
