import KVM
import Synchronization

/// The pages in guest memory through which vCPUs' synthetic interrupt controllers say what has happened: where the guest
/// put them, and what is written into them (Hypervisor Top-Level Functional Specification, section 11.8).
///
/// KVM clears them when the guest switches them on (KVM_CAP_HYPERV_SYNIC).
final class SynICPages: Sendable {
  /// A source of a vCPU's controller: 16 of them.
  struct Source: Hashable, Sendable {
    let vcpu: Int
    let source: Int
  }

  static let sourceCount = 16
  private static let flagsSize: UInt64 = 256
  private static let enabled: UInt64 = 1

  private let memory: GuestMemory
  private let registers: Mutex<[SynICRegisters?]>

  /// - Parameter vcpus: before they run; those of a machine that ran before have their registers.
  init(memory: GuestMemory, vcpus: [VCPU]) throws(KVMError) {
    self.memory = memory
    var registers: [SynICRegisters?] = []
    for vcpu in vcpus { registers.append(try SynICRegisters(of: vcpu)) }
    self.registers = Mutex(registers)
  }

  /// Takes what KVM says of a vCPU's controller.
  func note(_ values: SynICRegisters, vcpu: Int) { registers.withLock { $0[vcpu] = values } }

  /// Whether a vCPU's controller is on.
  func isOn(_ vcpu: Int) -> Bool {
    registers.withLock { $0[vcpu].map { $0.control & Self.enabled != 0 } ?? false }
  }

  /// What became of a message.
  enum Posting {
    /// It is in its slot.
    case posted
    /// Another is there, which now says that one waits.
    case occupied
    /// There is no slot: the guest has no such page.
    case nowhere
  }

  /// Puts a message into its slot. One thread at a time.
  func post(_ message: HyperVMessage, to source: Source) -> Posting {
    guard let page = page(\.messagePage, of: source.vcpu) else { return .nowhere }
    let slot = page + UInt64(source.source) * HyperVMessage.slotSize
    do throws(GuestMemoryError) {
      if try memory.load(UInt32.self, at: slot + HyperVMessage.typeOffset) != 0 {
        try memory.store(HyperVMessage.pendingFlag, at: slot + HyperVMessage.flagsOffset)
        // A guest that has emptied it meanwhile has not seen the flag.
        if try memory.load(UInt32.self, at: slot + HyperVMessage.typeOffset) != 0 { return .occupied }
      }
      try memory.write(message.slot, at: slot + HyperVMessage.slotOffset)
      // Last: what a guest looks at to see whether there is a message.
      try memory.store(message.type, at: slot + HyperVMessage.typeOffset)
      return .posted
    } catch {
      return .nowhere
    }
  }

  /// Sets an event's flag. One thread at a time.
  ///
  /// - Parameter flag: below 2048.
  /// - Returns: whether it was not set before; nil where the guest has no such page.
  func set(flag: UInt64, of source: Source) -> Bool? {
    guard let page = page(\.eventPage, of: source.vcpu) else { return nil }
    let address = page + UInt64(source.source) * Self.flagsSize + flag / 8
    let mask: UInt8 = 1 << (flag % 8)
    do throws(GuestMemoryError) {
      let before = try memory.load(UInt8.self, at: address)
      try memory.store(before | mask, at: address)
      return before & mask == 0
    } catch {
      return nil
    }
  }

  private func page(_ register: any KeyPath<SynICRegisters, UInt64> & Sendable, of vcpu: Int) -> UInt64? {
    let value = registers.withLock { registers in
      registers[vcpu].flatMap { $0.control & Self.enabled != 0 ? $0[keyPath: register] : nil }
    }
    guard let value, value & Self.enabled != 0 else { return nil }
    return value & ~(BootLayout.pageSize - 1)
  }
}

extension SynICRegisters {
  /// HV_X64_MSR_SCONTROL, SIEFP and SIMP (Hypervisor Top-Level Functional Specification, section 11.8).
  private static let msrs: [UInt32] = [0x4000_0080, 0x4000_0082, 0x4000_0083]

  /// The registers of a vCPU that does not run; nil where KVM does not show them.
  fileprivate init?(of vcpu: VCPU) throws(KVMError) {
    let answer = try vcpu.msrs(Self.msrs).entries
    guard answer.count == Self.msrs.count else { return nil }
    self.init(msr: answer[0].index, control: answer[0].value, eventPage: answer[1].value, messagePage: answer[2].value)
  }
}
