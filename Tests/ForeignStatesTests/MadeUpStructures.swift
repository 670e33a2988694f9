import APIC
import KVM
import MachineState
import Support

/// KVM's structures of one vCPU as programs keep them that keep its answers: made up by the kernel's headers.
struct MadeUpStructures {
  var page: LocalAPICState = {
    var page = LocalAPICState()
    page[.id] = 0
    page[.version] = 0x50014
    page[.spurious] = 0x1ff
    page[.lvtTimer] = 0x400ec
    page.interruptRequest = [0x31, 0x83]
    return page
  }()
  var deadline: UInt64 = 0x1234

  private static func integers(_ values: [UInt64], size: Int) -> [UInt8] {
    values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
      + [UInt8](repeating: 0, count: size - 8 * values.count)
  }

  /// RAX to RDX, RSI, RDI, RSP, RBP, R8 to R15, RIP, RFLAGS.
  let registers = integers((0..<16).map { 0x100 + $0 } + [0xffff_ffff_8100_0000, 0x202], size: 144)

  var specialRegisters: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 312)
    // CS: base, limit, selector, type, present, dpl, db, s, l, g.
    bytes.replaceSubrange(8..<21, with: [0xff, 0xff, 0xff, 0xff, 0x10, 0, 0xb, 1, 0, 0, 1, 1, 1])
    bytes.replaceSubrange(224..<232, with: Self.integers([0x8000_0011], size: 8))
    bytes.replaceSubrange(256..<288, with: Self.integers([2, 0xd01, 0xfee0_0900, 1 << 49], size: 32))
    return bytes
  }

  let debugRegisters = integers([0, 0, 0, 0, 0xffff_0ff0, 0x400], size: 128)

  /// An injected interrupt with vector 0x50, the shadow of STI, an NMI that waits, SMM that is known to be off.
  var events: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64)
    (bytes[8], bytes[9], bytes[11], bytes[13], bytes[20]) = (1, 0x50, 2, 1, 0xd)
    return bytes
  }

  let halted: [UInt8] = [3, 0, 0, 0]

  static func cpuidEntry(id: UInt8) -> [UInt8] {
    [0xb, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0] + [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, id, 0, 0, 0]
      + [UInt8](repeating: 0, count: 12)
  }

  var msrs: [(index: UInt32, value: UInt64)] {
    [(MSR.tsc, 77), (MSR.tscDeadline, deadline), (0xc000_0082, 0xffff_ffff_8200_0000)]
  }
}
