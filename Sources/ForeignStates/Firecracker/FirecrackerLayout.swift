/// What differs between the versions of Firecracker's `vmstate` that are read (firecracker, src/vmm/src/persist.rs,
/// SNAPSHOT_VERSION). The number is not Firecracker's own version, and 8.0.0 was given to two layouts.
struct FirecrackerLayout {
  /// Where the regions of memory stand.
  enum Memory {
    /// Before the state of the VM, each with its offset in the memory file.
    case beforeWithOffsets
    /// Before the state of the VM.
    case before
    /// In the state of the VM.
    case inVM
    /// There, each with its type and which of its slots are plugged.
    case inVMWithSlots
  }

  var memory: Memory
  /// Whether the capabilities that were asked for stand before the state of the VM, not at its end.
  var capabilitiesBefore: Bool
  /// Whether the extended state has its size before it (`kvm_xsave2`).
  var hasSizedExtendedState: Bool
  /// How many address spaces the allocator of resources has; nil where it is not kept.
  var addressSpaces: Int?

  /// The layouts of a version, the likelier first; none for a version that is not read.
  static func layouts(major: Int) -> [FirecrackerLayout] {
    switch major {
    case 2...4:
      [FirecrackerLayout(memory: .beforeWithOffsets, capabilitiesBefore: false, hasSizedExtendedState: false)]
    case 5: [FirecrackerLayout(memory: .before, capabilitiesBefore: true, hasSizedExtendedState: false)]
    case 6: [FirecrackerLayout(memory: .inVM, capabilitiesBefore: true, hasSizedExtendedState: true)]
    case 8:
      [
        FirecrackerLayout(
          memory: .inVMWithSlots, capabilitiesBefore: true, hasSizedExtendedState: true, addressSpaces: 4),
        FirecrackerLayout(memory: .inVM, capabilitiesBefore: true, hasSizedExtendedState: true, addressSpaces: 3),
      ]
    default: []
    }
  }
}
