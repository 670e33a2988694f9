import APIC
import KVM
import SystemPackage

/// A guest of a few bytes that its host runs step by step: an endless loop with interrupts on, and a handler for each vector
/// that tells its number.
///
/// It is in real mode, in which an interrupt needs no more than four bytes of a table, and which every back end has. Both the
/// loop and the handlers do nothing but write to a port, which brings the vCPU out.
struct StepGuest: Sendable {
  private static let size = 0x10000
  static let handlers = 0x3000
  static let loop = 0x8000
  private static let writeMSR = 0x8100
  private static let readMSR = 0x8180
  static let nothing = 0x81c0
  private static let accesses = 0x8200
  static let halts = 0x8f40
  private static let stacks = 0x9000
  static let donePort: UInt16 = 0xe0
  /// out port, al
  private static let done: [UInt8] = [0xe6, UInt8(donePort)]
  static let loopPort: UInt16 = 0x3e0
  static let handlerPort: UInt16 = 0x3e1

  let region: GuestRegion

  /// Puts the guest into a machine's memory.
  init(in vm: VirtualMachine) throws(KVMError) {
    let memory = try Mapping(anonymous: Self.size)
    do {
      for vector in 0..<256 {
        let handler = Self.handlers + vector * 16
        try memory.store(UInt32(handler), at: vector * 4)
        // push ax; push dx; mov al, vector; mov dx, port; out dx, al; pop dx; pop ax; iret
        let code: [UInt8] = [
          0x50, 0x52, 0xb0, UInt8(vector), 0xba, UInt8(Self.handlerPort & 0xff), UInt8(Self.handlerPort >> 8), 0xee,
          0x5a, 0x58, 0xcf,
        ]
        try memory.copy(from: code.span, at: handler)
      }
      // loop: mov dx, port; out dx, al; jmp loop
      let loop: [UInt8] = [0xba, UInt8(Self.loopPort & 0xff), UInt8(Self.loopPort >> 8), 0xee, 0xeb, 0xfa]
      try memory.copy(from: loop.span, at: Self.loop)
      // wrmsr or rdmsr; out port, al
      for (place, instruction) in [(Self.writeMSR, UInt8(0x30)), (Self.readMSR, 0x32)] {
        let code: [UInt8] = [0x0f, instruction] + Self.done
        try memory.copy(from: code.span, at: place)
      }
      try memory.copy(from: Self.done.span, at: Self.nothing)
      for form in HaltForm.allCases {
        try memory.copy(from: form.instructions.span, at: Self.halts + form.offset)
      }
      for access in GuestAccess.all {
        try memory.copy(from: (access.instruction + Self.done).span, at: Self.accesses + access.number * 16)
      }
    } catch {
      throw KVMError(call: .mmap, errno: .badAddress, detail: "\(error)")
    }
    region = GuestRegion(memory)
    try vm.setMemoryRegion(slot: 0, guestAddress: 0, region: region)
  }

  /// Puts a vCPU into the loop. KVM_SET_SREGS takes the TPR's class from CR8, and clears its subclass.
  func prepare(_ vcpu: VCPU) throws(KVMError) {
    var special = try vcpu.specialRegisters()
    for segment in [\SpecialRegisters.cs, \.ds, \.es, \.ss] {
      special[keyPath: segment].selector = 0
      special[keyPath: segment].base = 0
    }
    special.es.base = APICBase.defaultAddress
    special.fs.base = IOAPIC.defaultAddress
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
  func takeInterrupt(_ vcpu: VCPU) throws(KVMError) -> StepAnswer {
    let activity = try vcpu.mpState()
    guard activity == .runnable || activity == .halted else { return .done }
    try bringBack(vcpu)
    if activity == .halted, try HaltingRun.stays(vcpu) { return .done }
    var rounds = 0
    while rounds < 3 {
      switch try run(vcpu) {
      case .io(let access) where access.port == Self.handlerPort:
        return .value(UInt64(access.value & 0xff))
      case .io(let access) where access.port == Self.loopPort: rounds += 1
      case .interrupted: continue
      case .failEntry(let entry): return .entryRefused(entry.reason)
      case let exit: throw KVMError(call: .run, errno: .ioError, detail: "\(exit)")
      }
    }
    return .done
  }

  /// Has a vCPU read or write an MSR with interrupts off, and go on where it was.
  ///
  /// - Parameters:
  ///   - vcpu: The vCPU.
  ///   - index: The MSR.
  ///   - value: What it writes; nil for a read.
  /// - Returns: What the MSR holds or was given; `refused` for a general-protection exception.
  func accessMSR(_ vcpu: VCPU, _ index: UInt32, writing value: UInt64?) throws(KVMError) -> StepAnswer {
    let result = try execute(vcpu, at: value == nil ? Self.readMSR : Self.writeMSR) {
      $0.rcx = UInt64(index)
      $0.rax = (value ?? 0) & 0xffff_ffff
      $0.rdx = (value ?? 0) >> 32
    }
    guard case .done(let after) = result else { return result.answer }
    return .value(value ?? after.rax & 0xffff_ffff | after.rdx << 32)
  }

  /// Has a vCPU reach interrupt controllers by memory or ports with interrupts off.
  ///
  /// - Returns: What it has read; `done` for a write.
  func access(_ vcpu: VCPU, _ access: GuestAccess) throws(KVMError) -> StepAnswer {
    let result = try execute(vcpu, at: Self.accesses + access.number * 16) {
      $0.rbx = UInt64(access.place)
      $0.rdx = UInt64(access.place)
      $0.rax = access.value ?? 0
    }
    guard case .done(let after) = result, access.value == nil else { return result.answer }
    guard access.width < 8 else { return try wideResult() }
    return .value(after.rax & (1 << UInt64(8 * access.width) - 1))
  }

  /// The 8 bytes that a vCPU has read.
  private func wideResult() throws(KVMError) -> StepAnswer {
    do {
      return .value(try region.mapping.load(at: GuestAccess.wideResult, as: UInt64.self))
    } catch {
      throw KVMError(call: .mmap, errno: .badAddress, detail: "\(error)")
    }
  }

  /// Has a vCPU execute an instruction with interrupts off.
  func runWithInterruptsOff(_ vcpu: VCPU) throws(KVMError) -> StepAnswer {
    try execute(vcpu, at: Self.nothing) { _ in }.answer
  }

  /// What became of instructions that a vCPU was to execute.
  private enum Executed {
    /// They were executed; the registers are those of the end.
    case done(Registers)
    /// A general-protection exception.
    case fault
    /// The processor refused to enter the guest.
    case entryRefused(UInt64)

    var answer: StepAnswer {
      switch self {
      case .done: .done
      case .fault: .refused
      case .entryRefused(let reason): .entryRefused(reason)
      }
    }
  }

  /// Has a vCPU execute what is at a place with interrupts off, and go on where it was.
  private func execute(
    _ vcpu: VCPU, at place: Int, _ change: (inout Registers) -> Void
  ) throws(KVMError) -> Executed {
    try completePendingWork(vcpu)
    try bringBack(vcpu)
    let registers = try vcpu.registers()
    var access = registers
    access.rip = UInt64(place)
    access.rflags = 2
    change(&access)
    try vcpu.setRegisters(access)
    var isDone: Bool?
    while isDone == nil {
      switch try run(vcpu) {
      case .io(let access) where access.port == Self.donePort: isDone = true
      case .io(let access) where access.port == Self.handlerPort && access.value & 0xff == 13: isDone = false
      case .interrupted: continue
      case .failEntry(let entry):
        try vcpu.setRegisters(registers)
        return .entryRefused(entry.reason)
      case let exit: throw KVMError(call: .run, errno: .ioError, detail: "\(exit)")
      }
    }
    try completePendingWork(vcpu)
    let after = try vcpu.registers()
    try vcpu.setRegisters(registers)
    return isDone == true ? .done(after) : .fault
  }

  /// Runs a vCPU that waits for nothing. Where it answers that it waits for SIPI the host may have no thread for KVM: only a
  /// second run says so (`VCPU.run`).
  func run(_ vcpu: VCPU) throws(KVMError) -> Exit {
    let exit = try vcpu.run()
    return exit == .uninitialized ? try vcpu.run() : exit
  }

  /// Completes the port write that the vCPU left with, without an instruction more.
  func completePendingWork(_ vcpu: VCPU) throws(KVMError) {
    vcpu.requestExit()
    defer { vcpu.clearExitRequest() }
    let exit = try run(vcpu)
    guard exit == .interrupted else { throw KVMError(call: .run, errno: .ioError, detail: "\(exit)") }
  }

  /// Puts a vCPU back that an INIT or a SIPI has put elsewhere.
  func bringBack(_ vcpu: VCPU) throws(KVMError) {
    let place = try vcpu.registers().rip
    if place < UInt64(Self.handlers) || place >= UInt64(Self.stacks) { try prepare(vcpu) }
  }
}
