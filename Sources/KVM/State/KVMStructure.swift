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
