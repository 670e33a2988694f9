import KVM

/// A machine of one page at address 0 whose vCPU starts there in real mode, without interrupt controllers unless asked.
struct TinyMachine {
  let vm: VirtualMachine
  let vcpu: VCPU
  let memory: GuestRegion

  /// Where code starts; the bytes before are free for data.
  static let entry = 0x100

  init(code: [UInt8], flags: MemoryFlags = [], prepare: (VirtualMachine) throws -> Void = { _ in }) throws {
    vm = try KVM.open().createVM()
    try prepare(vm)
    memory = try GuestRegion(size: 4096)
    try memory.mapping.copy(from: code.span, at: Self.entry)
    try vm.setMemoryRegion(slot: 0, guestAddress: 0, region: memory, flags: flags)
    vcpu = try vm.createVCPU(id: 0)
    var special = try vcpu.specialRegisters()
    special.cs.base = 0
    special.cs.selector = 0
    try vcpu.setSpecialRegisters(special)
    var registers = Registers()
    registers.rip = UInt64(Self.entry)
    registers.rsp = 0xf00
    try vcpu.setRegisters(registers)
  }
}
