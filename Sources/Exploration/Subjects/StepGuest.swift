import APIC
import KVM
import SystemPackage

/// A guest of a few bytes that its host runs step by step: an endless loop with interrupts on, and a handler for each vector
/// that tells its number.
///
/// It is in protected mode with flat segments and without paging: so an interrupt needs no more than a gate. Both the loop
/// and the handlers do nothing but write to a port, which brings the vCPU out.
struct StepGuest {
  private static let size = 0x10000
  private static let idt = 0x1000
  private static let gdt = 0x2000
  private static let handlers = 0x3000
  private static let loop = 0x8000
  private static let stacks = 0x9000
  static let loopPort: UInt16 = 0x3e0
  static let handlerPort: UInt16 = 0x3e1

  /// Puts the guest into a machine's memory.
  init(in vm: VirtualMachine) throws(KVMError) {
    let memory = try Mapping(anonymous: Self.size)
    do {
      // GDT: nothing, code, data.
      try memory.store(UInt64(0x00cf_9b00_0000_ffff), at: Self.gdt + 8)
      try memory.store(UInt64(0x00cf_9300_0000_ffff), at: Self.gdt + 16)
      for vector in 0..<256 {
        let handler = Self.handlers + vector * 16
        // A 32-bit interrupt gate to code segment 8.
        try memory.store(UInt64(handler & 0xffff) | 8 << 16 | 0x8e00 << 32, at: Self.idt + vector * 8)
        // push eax; push edx; mov al, vector; mov dx, port; out dx, al; pop edx; pop eax; iretd
        let code: [UInt8] = [
          0x50, 0x52, 0xb0, UInt8(vector), 0x66, 0xba, UInt8(Self.handlerPort & 0xff), UInt8(Self.handlerPort >> 8),
          0xee, 0x5a, 0x58, 0xcf,
        ]
        try memory.copy(from: code.span, at: handler)
      }
      // mov dx, port; loop: out dx, al; jmp loop
      let loop: [UInt8] = [
        0x66, 0xba, UInt8(Self.loopPort & 0xff), UInt8(Self.loopPort >> 8), 0xee, 0xeb, 0xfd,
      ]
      try memory.copy(from: loop.span, at: Self.loop)
    } catch {
      throw KVMError(call: .mmap, errno: .badAddress, detail: "\(error)")
    }
    try vm.setMemoryRegion(slot: 0, guestAddress: 0, region: GuestRegion(memory))
  }

  /// Puts a vCPU into the loop.
  func prepare(_ vcpu: VCPU) throws(KVMError) {
    var special = try vcpu.specialRegisters()
    var segment = Segment()
    (segment.limit, segment.present, segment.s, segment.db, segment.g) = (0xffff_ffff, 1, 1, 1, 1)
    var code = segment
    (code.selector, code.type) = (8, 0xb)
    (segment.selector, segment.type) = (16, 3)
    special.cs = code
    (special.ds, special.es, special.fs, special.gs, special.ss) = (segment, segment, segment, segment, segment)
    special.cr0 = 0x11
    special.gdt = DescriptorTable(base: UInt64(Self.gdt), limit: 23)
    special.idt = DescriptorTable(base: UInt64(Self.idt), limit: 0x7ff)
    try vcpu.setSpecialRegisters(special)
    var registers = Registers()
    registers.rip = UInt64(Self.loop)
    registers.rsp = UInt64(Self.stacks) + 0x1000 * UInt64(vcpu.id + 1)
    registers.rflags = 0x202
    try vcpu.setRegisters(registers)
  }

  /// Runs a vCPU until a handler has told its vector, or the loop has come round a few times.
  ///
  /// A back end that emulates instructions looks for interrupts after some of them, so one round is not enough.
  func takeInterrupt(_ vcpu: VCPU) throws(KVMError) -> Vector? {
    guard try vcpu.mpState() == .runnable else { return nil }
    var rounds = 0
    while rounds < 3 {
      switch try vcpu.run() {
      case .io(let access) where access.port == Self.handlerPort:
        return Vector(rawValue: UInt8(truncatingIfNeeded: access.value))
      case .io(let access) where access.port == Self.loopPort: rounds += 1
      case .interrupted: continue
      case let exit: throw KVMError(call: .run, errno: .ioError, detail: "\(exit)")
      }
    }
    return nil
  }
}
