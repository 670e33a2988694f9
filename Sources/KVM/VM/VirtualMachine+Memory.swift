import CKVM
import Synchronization
import SystemPackage

extension VirtualMachine {
  /// Makes memory visible to the guest (KVM_SET_USER_MEMORY_REGION).
  ///
  /// The machine keeps the region alive until the slot is removed or set again. A slot that is set can move, change its
  /// flags or be removed; it cannot change size or memory.
  ///
  /// - Parameters:
  ///   - slot: below KVM_CAP_NR_MEMSLOTS.
  ///   - guestAddress: guest-physical, a multiple of 4096.
  ///   - region: the memory; all of it by default.
  ///   - offset: where in the region the slot starts, in bytes, a multiple of 4096.
  ///   - size: in bytes, a multiple of 4096 above 0; nil for the rest of the region.
  ///   - flags: how KVM treats the slot.
  /// - Throws: `KVMError`: EFAULT when offset and size are not inside the region, EINVAL, EEXIST for an overlap.
  public func setMemoryRegion(
    slot: UInt32, guestAddress: UInt64, region: GuestRegion, offset: Int = 0, size: Int? = nil, flags: MemoryFlags = []
  ) throws(KVMError) {
    let size = size ?? region.size - offset
    let detail = "slot \(slot), \(size) bytes at \(hex(guestAddress))"
    guard size > 0, let memory = unsafe try? region.mapping.address(offset, size) else {
      throw KVMError(call: .setUserMemoryRegion, errno: .badAddress, detail: detail)
    }
    try slots.withLock { (slots) throws(KVMError) in
      // Sound: the range was checked to be inside the mapping, and `slots` keeps the mapping for as long as KVM may use it.
      let answer = unsafe ckvm_set_user_memory_region(
        descriptor.rawValue, slot, flags.rawValue, guestAddress, UInt64(size), memory)
      try attempt(.setUserMemoryRegion, answer, detail: detail)
      slots[slot] = MemorySlot(region: region, size: size)
    }
  }

  /// Takes a slot's memory away from the guest (KVM_SET_USER_MEMORY_REGION with size 0).
  ///
  /// - Throws: `KVMError` with EINVAL when the slot is not set.
  public func removeMemoryRegion(slot: UInt32) throws(KVMError) {
    try slots.withLock { (slots) throws(KVMError) in
      let answer = ckvm_set_user_memory_region(descriptor.rawValue, slot, 0, 0, 0, nil)
      try attempt(.setUserMemoryRegion, answer, detail: "slot \(slot), removal")
      slots[slot] = nil
    }
  }

  /// Makes the end of a machine short: to be called right before its descriptor is closed.
  ///
  /// Whatever registers a device on KVM's buses, an irqchip above all, leaves the freeing of the old bus to a grace period
  /// (since Linux 6.18, kvm_io_bus_register_dev), and the last close waits for all of those, some 15 ms (srcu_barrier in
  /// kvm_destroy_vm). A slot's removal wants its grace period expedited, and with it the earlier ones.
  func removeFirstMemoryRegion() {
    let slot = slots.withLock { $0.keys.first }
    // Where KVM refuses, the end is as long as it would have been.
    if let slot { try? removeMemoryRegion(slot: slot) }
  }

  /// Which pages of a slot the guest wrote since the log was last taken (KVM_GET_DIRTY_LOG).
  ///
  /// - Returns: one bit a page, page 0 in bit 0 of word 0.
  /// - Throws: `KVMError` with ENOENT when the slot is not set or does not log.
  public func dirtyLog(slot: UInt32) throws(KVMError) -> [UInt64] {
    try slots.withLock { (slots) throws(KVMError) in
      guard let size = slots[slot]?.size else {
        throw KVMError(call: .getDirtyLog, errno: .noSuchFileOrDirectory, detail: "slot \(slot)")
      }
      var bitmap = [UInt64](repeating: 0, count: (size / pageSize + 63) / 64)
      // Sound: KVM writes one bit a page of the slot, rounded up to 64, which the bitmap has room for; the lock keeps the
      // slot from being set anew with another size.
      try attempt(.getDirtyLog, unsafe ckvm_get_dirty_log(descriptor.rawValue, slot, &bitmap), detail: "slot \(slot)")
      return bitmap
    }
  }

  /// Starts logging pages anew (KVM_CLEAR_DIRTY_LOG, after enabling KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2).
  ///
  /// - Parameters:
  ///   - slot: one that logs.
  ///   - firstPage: a multiple of 64.
  ///   - pageCount: a multiple of 64, or up to the slot's end.
  ///   - bitmap: one bit a page from `firstPage`; only pages with a 1 are cleared.
  /// - Throws: `KVMError`: EFAULT for a bitmap shorter than `pageCount`, EINVAL, ENOENT.
  public func clearDirtyLog(slot: UInt32, firstPage: UInt64, pageCount: UInt32, bitmap: [UInt64]) throws(KVMError) {
    guard bitmap.count >= (Int(pageCount) + 63) / 64 else {
      throw KVMError(call: .clearDirtyLog, errno: .badAddress, detail: "slot \(slot): the bitmap is too short")
    }
    var bitmap = bitmap
    // Sound: KVM reads one bit a page, which the bitmap has, as checked.
    let answer = unsafe ckvm_clear_dirty_log(descriptor.rawValue, slot, firstPage, pageCount, &bitmap)
    try attempt(.clearDirtyLog, answer, detail: "slot \(slot)")
  }
}

/// What a machine remembers of a slot that is set.
struct MemorySlot {
  /// Keeps the memory mapped.
  var region: GuestRegion

  /// In bytes.
  var size: Int
}

/// How KVM treats a memory slot (KVM API, KVM_SET_USER_MEMORY_REGION).
public struct MemoryFlags: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt32

  /// The flags with those bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Record which pages the guest writes (KVM_MEM_LOG_DIRTY_PAGES).
  public static let logDirtyPages = MemoryFlags(rawValue: UInt32(KVM_MEM_LOG_DIRTY_PAGES))

  /// Turn guest writes into MMIO exits (KVM_MEM_READONLY).
  public static let readOnly = MemoryFlags(rawValue: UInt32(KVM_MEM_READONLY))
}
