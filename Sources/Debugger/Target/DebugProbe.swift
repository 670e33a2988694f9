import APIC
import KVM
import Support
import VMM

/// A guest of a few instructions that shows which debug events a back end reports.
struct DebugProbe {
  private let image: GuestImage
  private let loadAddress: UInt64?
  private let watched: UInt64?
  private let breakpoint: UInt64?

  /// What was seen.
  struct Finding {
    /// It stopped at a breakpoint for execution in a debug register.
    var stopsAtCode = false
    /// It stopped after a write to a byte that is watched.
    var stopsAtData = false
    /// What became of the INT3.
    var int3 = DebugSupport.INT3.goesToGuest
  }

  /// Comes to a breakpoint, writes a byte that is watched, comes to an INT3, and leaves by a port. Without an IDT, an INT3 that the guest gets is
  /// a triple fault.
  static let longMode: DebugProbe = {
    let entry: UInt64 = 0x10_0000
    let watched: UInt64 = 0x11_0000
    let code: [UInt8] =
      // nop; nop, which has a breakpoint; mov byte [watched], 1
      [0x90, 0x90, 0xc6, 0x04, 0x25, 0x00, 0x00, 0x11, 0x00, 0x01]
      // int3; out 0xf4, al
      + [0xcc, 0xe6, 0xf4]
    return DebugProbe(
      image: GuestImage(name: "debug probe", bytes: executable(code, at: entry)), loadAddress: nil, watched: watched,
      breakpoint: entry + 1)
  }()

  /// The same INT3 in real mode, whose vector leads to the port.
  static let realMode: DebugProbe = {
    var code = [UInt8](repeating: 0x90, count: 0x22)
    code[0] = 0xcc
    // Vector 3, at 4 bytes a vector: 0000:0020.
    code.replaceSubrange(0xc..<0x10, with: [0x20, 0x00, 0x00, 0x00])
    // out 0xf4, al
    code.replaceSubrange(0x20..<0x22, with: [0xe6, 0xf4])
    return DebugProbe(
      image: GuestImage(name: "debug probe", bytes: code), loadAddress: 0, watched: nil, breakpoint: nil)
  }()

  /// Runs it, on this thread.
  func run(on system: System) throws(MachineError) -> Finding {
    var configuration = MachineConfiguration()
    configuration.loadAddress = loadAddress
    let machine = try Machine(configuration, image: image, on: system, console: Console())
    do throws(KVMError) {
      return try observe(machine.vcpus[0])
    } catch {
      throw .kvm(error)
    }
  }

  private func observe(_ vcpu: VCPU) throws(KVMError) -> Finding {
    var breakpoints = HardwareBreakpoints()
    if let breakpoint { _ = breakpoints.insert(.execute, at: breakpoint, size: 1) }
    if let watched { _ = breakpoints.insert(.write, at: watched, size: 1) }
    let options: GuestDebugOptions = [.enable, .softwareBreakpoints, .hardwareBreakpoints]
    try vcpu.setGuestDebug(options, breakpoints: breakpoints.registers)
    var finding = Finding()
    while true {
      switch try vcpu.run() {
      // Whatever signal that was, it was not for this.
      case .interrupted: continue
      case .debug(let exit) where exit.exception.rawValue == 1:
        let slot = breakpoints.slot(hits: UInt8(truncatingIfNeeded: exit.dr6 & 0xf))
        guard let slot, breakpoints.remove(slot.access, at: slot.request) else { return finding }
        if slot.access == .execute { finding.stopsAtCode = true } else { finding.stopsAtData = true }
        // The instruction is still to come, and would stop again.
        try vcpu.setGuestDebug(options, breakpoints: breakpoints.registers)
      case .debug(let exit) where exit.exception.rawValue == 3:
        finding.int3 = .stops
        return finding
      case .internalError(let error) where error.suberror == InternalError.emulation:
        finding.int3 = .cannotBeEmulated
        return finding
      default: return finding
      }
    }
  }

  /// An ELF64 executable with one segment (System V ABI, chapters 4 and 5).
  private static func executable(_ code: [UInt8], at address: UInt64) -> [UInt8] {
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    // ET_EXEC, EM_X86_64, EV_CURRENT; entry, program headers, no sections; flags; the sizes and counts.
    bytes.appendLittleEndian(2 as UInt16)
    bytes.appendLittleEndian(62 as UInt16)
    bytes.appendLittleEndian(1 as UInt32)
    bytes.appendLittleEndian(address)
    bytes.appendLittleEndian(64 as UInt64)
    bytes.appendLittleEndian(0 as UInt64)
    bytes.appendLittleEndian(0 as UInt32)
    for value in [64, 56, 1, 0, 0, 0] as [UInt16] { bytes.appendLittleEndian(value) }
    // PT_LOAD, readable, writable and executable.
    bytes.appendLittleEndian(1 as UInt32)
    bytes.appendLittleEndian(7 as UInt32)
    for value in [120, address, address, UInt64(code.count), UInt64(code.count), 16] { bytes.appendLittleEndian(value) }
    return bytes + code
  }
}
