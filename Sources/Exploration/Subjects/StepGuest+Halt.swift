import KVM
import SystemPackage

extension HaltForm {
  /// STI; HLT; jmp loop, of which the second form has no STI, and STI; out port, al; jmp loop.
  var instructions: [UInt8] {
    let start: [UInt8] =
      switch self {
      case .haltAfterSTI: [0xfb, 0xf4]
      case .halt: [0xf4]
      case .instructionAfterSTI: [0xfb, 0xe6, UInt8(StepGuest.donePort)]
      }
    let end = StepGuest.halts + offset + start.count + 3
    let distance = UInt16(bitPattern: Int16(StepGuest.loop - end))
    return start + [0xe9, UInt8(distance & 0xff), UInt8(distance >> 8)]
  }

  /// Where they are.
  var offset: Int { Int(rawValue) * 16 }

  /// Where a vCPU is that has not executed the instruction yet.
  var isBefore: Range<Int> {
    let start = StepGuest.halts + offset
    return start..<start + (self == .halt ? 1 : 2)
  }
}

/// HLT, and the instruction behind STI.
extension StepGuest {
  /// Has a vCPU halt, or execute another instruction behind STI, and take what comes then.
  ///
  /// - Returns: The vector that it has taken, behind the instruction or before it; `halts`; `done` where it has taken none.
  func halt(_ vcpu: VCPU, _ form: HaltForm) throws(KVMError) -> StepAnswer {
    try completePendingWork(vcpu)
    try bringBack(vcpu)
    if let answer = try leaveHandler(vcpu) { return answer }
    try move(vcpu, to: Self.halts + form.offset, takingInterrupts: form == .halt)
    var rounds = 0
    while rounds < 3 {
      switch try HaltingRun.run(vcpu) {
      case .io(let access) where access.port == Self.handlerPort:
        let isBehind = try !returnToLoop(vcpu, from: form)
        return .taken(vector: UInt64(access.value & 0xff), isBehind: isBehind)
      case .io(let access) where access.port == Self.donePort: continue
      case .io(let access) where access.port == Self.loopPort: rounds += 1
      // Before KVM asked at HLT itself what waits, a signal could take the vCPU out before it had asked (`__kvm_emulate_halt`).
      case .interrupted: if try vcpu.mpState() == .halted, try HaltingRun.stays(vcpu) { return .halts }
      case .failEntry(let entry):
        try move(vcpu, to: Self.loop, takingInterrupts: true)
        return .entryRefused(entry.reason)
      case let exit: throw KVMError(call: .run, errno: .ioError, detail: "\(exit)")
      }
    }
    return .done
  }

  private func move(_ vcpu: VCPU, to place: Int, takingInterrupts: Bool) throws(KVMError) {
    var registers = try vcpu.registers()
    registers.rip = UInt64(place)
    registers.rflags = takingInterrupts ? 0x202 : 2
    try vcpu.setRegisters(registers)
  }

  /// Has the handler that a vCPU is in return to where interrupts are off.
  ///
  /// - Returns: What else became of it; nil where it is in no handler any more.
  private func leaveHandler(_ vcpu: VCPU) throws(KVMError) -> StepAnswer? {
    let registers = try vcpu.registers()
    guard Self.isHandler(Int(registers.rip)) else { return nil }
    // An NMI's handler may return to another, of which it has come before the end.
    var frame = Self.frame(of: Int(registers.rip), stack: Int(registers.rsp & 0xffff))
    while case let outer = Int(try load(frame)), Self.isHandler(outer) {
      guard outer % 16 > Self.told else { return .done }
      frame = Self.frame(of: outer, stack: frame + 6)
    }
    let (place, flags) = (try load(frame), try load(frame + 4))
    try store(UInt16(Self.nothing), at: frame)
    try store(2, at: frame + 4)
    while true {
      switch try run(vcpu) {
      case .io(let access) where access.port == Self.donePort:
        try completePendingWork(vcpu)
        return nil
      case .interrupted: continue
      case .failEntry(let entry):
        try store(place, at: frame)
        try store(flags, at: frame + 4)
        return .entryRefused(entry.reason)
      case let exit: throw KVMError(call: .run, errno: .ioError, detail: "\(exit)")
      }
    }
  }

  /// Where in a handler the write is that tells its vector.
  private static let told = 7

  /// Where a handler's return address is: on the stack, behind what it has pushed.
  private static func frame(of place: Int, stack: Int) -> Int {
    switch place % 16 {
    case 0, told + 3: stack
    case 1, told + 2: stack + 2
    default: stack + 4
    }
  }

  private static func isHandler(_ place: Int) -> Bool { handlers..<handlers + 0x1000 ~= place }

  /// A vCPU in the handler of what has come before the instruction is not to execute that when it returns.
  ///
  /// - Returns: Whether it has come before.
  private func returnToLoop(_ vcpu: VCPU, from form: HaltForm) throws(KVMError) -> Bool {
    let frame = Self.frame(of: Self.told, stack: Int(try vcpu.registers().rsp & 0xffff))
    guard form.isBefore.contains(Int(try load(frame))) else { return false }
    try store(UInt16(Self.loop), at: frame)
    return true
  }

  private func load(_ place: Int) throws(KVMError) -> UInt16 {
    do {
      return try region.mapping.load(at: place, as: UInt16.self)
    } catch {
      throw KVMError(call: .mmap, errno: .badAddress, detail: "\(error)")
    }
  }

  private func store(_ value: UInt16, at place: Int) throws(KVMError) {
    do {
      try region.mapping.store(value, at: place)
    } catch {
      throw KVMError(call: .mmap, errno: .badAddress, detail: "\(error)")
    }
  }
}
