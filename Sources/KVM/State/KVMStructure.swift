package import APIC
import CKVM

/// A structure of KVM's as the bytes that another program kept of it, and what is in it here.
///
/// Such a program keeps what KVM answered as it is (crate `kvm-bindings`, feature `serde`), of whatever kernel's headers: a
/// later one may be longer, its beginning stays.
package struct KVMStructure<Value> {
  /// What the kernel's header calls it.
  package let name: String
  /// How many bytes it has at least.
  package let size: Int
  private let decode: ([UInt8]) -> Value

  /// - Parameters:
  ///   - empty: a C structure of integers alone.
  ///   - value: what is in one.
  init<Raw>(_ empty: Raw, _ value: @escaping (Raw) -> Value) {
    name = "\(Raw.self)"
    size = MemoryLayout<Raw>.size
    decode = { bytes in
      var raw = empty
      // Sound: any bytes are integers, and no more are copied than there are on either side.
      unsafe withUnsafeMutableBytes(of: &raw) { unsafe $0.copyBytes(from: bytes.prefix($0.count)) }
      return value(raw)
    }
  }

  /// What is in the structure.
  ///
  /// - Parameter bytes: what was kept of it.
  /// - Returns: nil where the bytes are fewer than `size`.
  package func value(of bytes: [UInt8]) -> Value? { bytes.count < size ? nil : decode(bytes) }
}

extension KVMStructure<Registers> {
  package static var registers: Self { Self(kvm_regs()) { Registers($0) } }
}

extension KVMStructure<SpecialRegisters> {
  package static var specialRegisters: Self { Self(kvm_sregs()) { SpecialRegisters($0) } }
}

extension KVMStructure<DebugRegisters> {
  package static var debugRegisters: Self { Self(kvm_debugregs()) { DebugRegisters($0) } }
}

extension KVMStructure<VCPUEvents> {
  package static var events: Self { Self(kvm_vcpu_events()) { VCPUEvents($0) } }
}

extension KVMStructure<MPState?> {
  /// nil is in one whose state x86 does not have.
  package static var mpState: Self { Self(kvm_mp_state()) { MPState(rawValue: $0.mp_state) } }
}

extension KVMStructure<LocalAPICState> {
  package static var localAPIC: KVMStructure<LocalAPICState> {
    Self(kvm_lapic_state()) { raw in
      var state = LocalAPICState()
      // Sound: the page is plain bytes, 4 for each register.
      unsafe withUnsafeBytes(of: raw) { page in
        for index in state.registers.indices {
          state.registers[index] = unsafe page.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
        }
      }
      return state
    }
  }
}

extension KVMStructure<CPUIDEntry> {
  package static var cpuidEntry: Self { Self(kvm_cpuid_entry2()) { CPUIDEntry($0) } }
}

extension KVMStructure<MSREntry> {
  package static var msrEntry: Self { Self(kvm_msr_entry()) { MSREntry(index: $0.index, value: $0.data) } }
}

extension KVMStructure<PICState> {
  // Sound, as below: every member of the union is plain integers.
  package static var pic: Self { Self(kvm_irqchip()) { PICState(unsafe $0.chip.pic) } }
}

extension KVMStructure<IOAPICState> {
  package static var ioapic: Self { Self(kvm_irqchip()) { IOAPICState(unsafe $0.chip.ioapic) } }
}

extension KVMStructure<PITState> {
  package static var pit: Self { Self(kvm_pit_state2()) { PITState($0) } }
}

extension KVMStructure<ClockState> {
  package static var clock: Self { Self(kvm_clock_data()) { ClockState($0) } }
}

/// A C structure that ends in a flexible array: a header and, right behind it, entries.
///
/// The KVM API uses them for CPUID leaves, MSRs, routes and lists. `ckvm_layout.c` asserts that in each of them the
/// entries start where the header ends. Both are C structures, which need no deinitialization.
@safe struct FlexibleArray<Header, Entry>: ~Copyable {
  /// How many entries there is room for.
  let capacity: Int

  private let storage: UnsafeMutableRawPointer
  private let start: UnsafeMutablePointer<Header>
  private let entries: UnsafeMutablePointer<Entry>

  /// A header and room for entries, which start as copies of `filler`.
  init(_ header: Header, repeating filler: Entry, count: Int) {
    capacity = count
    // Sound: the size covers header and entries, the alignment is that of both, and all of it is initialized here.
    unsafe storage = .allocate(
      byteCount: MemoryLayout<Header>.size + count * MemoryLayout<Entry>.stride,
      alignment: max(MemoryLayout<Header>.alignment, MemoryLayout<Entry>.alignment))
    unsafe start = storage.initializeMemory(as: Header.self, to: header)
    unsafe entries = (storage + MemoryLayout<Header>.size)
      .initializeMemory(as: Entry.self, repeating: filler, count: count)
  }

  deinit { unsafe storage.deallocate() }

  /// The header.
  var header: Header { unsafe start.pointee }

  /// The entry at an index below `capacity`.
  subscript(index: Int) -> Entry {
    get {
      precondition((0..<capacity).contains(index))
      return unsafe entries[index]
    }
    nonmutating set {
      precondition((0..<capacity).contains(index))
      unsafe entries[index] = newValue
    }
  }

  /// The first entries, at most as many as there is room for.
  func prefix(_ count: Int) -> [Entry] {
    (0..<max(0, min(count, capacity))).map { self[$0] }
  }

  /// Hands the C structure to a call, which must not keep it.
  ///
  /// - Parameter body: gets a pointer that is good for the header and `capacity` entries.
  @unsafe func withHeader<Answer>(_ body: (UnsafeMutablePointer<Header>) -> Answer) -> Answer {
    unsafe body(start)
  }
}

extension FlexibleArray {
  /// A header and entries of one's own.
  init(_ header: Header, _ entries: [Entry], empty filler: Entry) {
    self.init(header, repeating: filler, count: entries.count)
    for (index, entry) in entries.enumerated() { self[index] = entry }
  }
}
