import KVM
import VMM

/// A machine whose vCPUs wait, as gdb's packets look at it. On the debugger's thread alone.
final class DebugTarget {
  let machine: Machine
  let support: DebugSupport
  /// Whether interrupts may come into a single step.
  var stepsTakeInterrupts: Bool
  private(set) var software = SoftwareBreakpoints()
  private(set) var hardware = HardwareBreakpoints()

  private static let pageSize: UInt64 = 4096

  init(_ machine: Machine, _ support: DebugSupport) {
    self.machine = machine
    self.support = support
    stepsTakeInterrupts = !support.blocksInterrupts
  }

  func registers(of vcpu: Int) throws(KVMError) -> RegisterFile { try RegisterFile(of: machine.vcpus[vcpu]) }

  func set(_ registers: RegisterFile, of vcpu: Int, whichHas old: RegisterFile) throws(KVMError) {
    try registers.write(to: machine.vcpus[vcpu], whichHas: old)
  }

  // MARK: Memory, by the page tables of a vCPU

  /// Reads memory at a linear address, as far as it is there; without gdb's INT3s.
  func read(_ count: UInt64, at address: UInt64, of vcpu: Int) throws(KVMError) -> [UInt8] {
    var bytes: [UInt8] = []
    for piece in Self.pieces(address, count) {
      guard let physical = try machine.vcpus[vcpu].translate(piece.address),
        var read = try? machine.memory.read(Int(piece.count), at: physical)
      else { break }
      software.hide(in: &read, at: physical)
      bytes += read
    }
    return bytes
  }

  /// Writes memory at a linear address.
  ///
  /// - Returns: whether all of it is there; nothing is written otherwise.
  func write(_ bytes: [UInt8], at address: UInt64, of vcpu: Int) throws(KVMError) -> Bool {
    var parts: [(bytes: [UInt8], physical: UInt64)] = []
    var rest = bytes[...]
    for piece in Self.pieces(address, UInt64(bytes.count)) {
      guard let physical = try machine.vcpus[vcpu].translate(piece.address),
        (try? machine.memory.read(Int(piece.count), at: physical)) != nil
      else { return false }
      parts.append((Array(rest.prefix(Int(piece.count))), physical))
      rest = rest.dropFirst(Int(piece.count))
    }
    guard rest.isEmpty else { return false }
    for var part in parts {
      software.keep(in: &part.bytes, at: part.physical)
      // It could be read, so it can be written.
      try? machine.memory.write(part.bytes, at: part.physical)
    }
    return true
  }

  /// A range, page by page; it ends with the address space.
  private static func pieces(_ address: UInt64, _ count: UInt64) -> [(address: UInt64, count: UInt64)] {
    var pieces: [(UInt64, UInt64)] = []
    var next = address
    var left = count
    while left > 0 {
      let piece = min(left, pageSize - next % pageSize)
      pieces.append((next, piece))
      left -= piece
      let (end, overflow) = next.addingReportingOverflow(piece)
      if overflow { break }
      next = end
    }
    return pieces
  }

  // MARK: Breakpoints

  /// Why a breakpoint was not set.
  enum BreakpointError: Error {
    /// The address leads to no RAM.
    case noMemory
    /// All debug registers are taken, or the range needs more than there are.
    case noneLeft
    /// The processor or the back end has none of that kind.
    case unsupported(String)
    /// KVM refused.
    case refused(KVMError)
  }

  func insert(
    _ kind: BreakpointKind, at address: UInt64, size: UInt64, of vcpu: Int
  ) throws(BreakpointError) {
    switch kind {
    case .software: try insertSoftware(at: address, of: vcpu)
    case .hardware: try insertHardware(.execute, at: address, size: size)
    case .writeWatch: try insertHardware(.write, at: address, size: size)
    case .accessWatch: try insertHardware(.readWrite, at: address, size: size)
    case .readWatch: throw .unsupported("no processor of this architecture stops at reads alone")
    }
  }

  /// Takes one away; one that is not there is none.
  func remove(_ kind: BreakpointKind, at address: UInt64) {
    switch kind {
    case .software: _ = software.remove(at: address, in: machine.memory)
    case .hardware: _ = hardware.remove(.execute, at: address)
    case .writeWatch: _ = hardware.remove(.write, at: address)
    case .accessWatch: _ = hardware.remove(.readWrite, at: address)
    case .readWatch: break
    }
  }

  func removeAllBreakpoints() {
    software.removeAll(in: machine.memory)
    hardware = HardwareBreakpoints()
  }

  private func insertSoftware(at address: UInt64, of vcpu: Int) throws(BreakpointError) {
    let physical: UInt64?
    // gdb sets all of its breakpoints before any thread goes on, whichever it has selected: one that starts in real mode is
    // no reason to refuse what is meant for the others.
    var isRealMode = true
    do throws(KVMError) {
      for vcpu in machine.vcpus where try vcpu.specialRegisters().isProtected { isRealMode = false }
      physical = try machine.vcpus[vcpu].translate(address)
    } catch {
      throw .refused(error)
    }
    if let obstacle = support.obstacle(toINT3InRealMode: isRealMode) { throw .unsupported(obstacle) }
    guard let physical else { throw .noMemory }
    do throws(GuestMemoryError) {
      try software.insert(at: address, physical: physical, in: machine.memory)
    } catch {
      throw .noMemory
    }
  }

  private func insertHardware(
    _ access: HardwareBreakpoints.Access, at address: UInt64, size: UInt64
  ) throws(BreakpointError) {
    let obstacle = access == .execute ? support.obstacleToHardwareBreakpoints : support.obstacleToWatchpoints
    if let obstacle { throw .unsupported(obstacle) }
    guard hardware.insert(access, at: address, size: size) else { throw .noneLeft }
  }

  // MARK: Running

  /// Lets vCPUs go on.
  ///
  /// - Parameter kinds: what each does, by its index; the others wait.
  func resume(_ kinds: [Int: ResumeAction.Kind]) throws(KVMError) {
    var plans: [Int: DebugPlan] = [:]
    for (vcpu, kind) in kinds where kind != .stop {
      plans[vcpu] = DebugPlan(
        isStepping: kind == .step, blocksInterrupts: !stepsTakeInterrupts && support.blocksInterrupts,
        hardwareBreakpoints: hardware.isEmpty ? nil : hardware.registers)
    }
    try machine.resumeDebugged(plans, softwareBreakpoints: software.addresses)
  }

  /// Whether the guest stands already.
  var isHeld: Bool { machine.debug.isHolding }

  /// Takes all vCPUs out of the guest and waits for it.
  ///
  /// - Parameter isOver: looked at now and then: whether to wait no longer.
  /// - Returns: whether they are out, and the machine has not ended.
  func hold(unless isOver: () -> Bool) -> Bool {
    machine.debug.hold()
    while !machine.awaitDebugHold(within: .milliseconds(500)) {
      if machine.stop.reason != nil || isOver() { return false }
    }
    return machine.stop.reason == nil
  }

  /// Leaves the guest as it was, and lets it go on.
  func letGo(unless isOver: () -> Bool) {
    guard hold(unless: isOver) else { return }
    removeAllBreakpoints()
    // A vCPU that is debugged no longer is what was wanted; in practice KVM never refuses that.
    try? machine.endDebugging()
  }
}
