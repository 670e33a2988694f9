import APIC
import KVM
import SystemPackage
import Testing

@Suite(.needsKVM) struct RoutingTests {
  @Test func `a message that is signalled waits in the IRR of its destination`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let vcpus = try [0, 1].map { try vm.createEnabledVCPU(id: $0) }
    #expect(try vm.signal(MSIMessage(vector: 0x70, destination: .physical(1))) == .delivered)
    #expect(try vcpus[1].localAPIC().interruptRequest == [0x70])
    #expect(try vcpus[0].localAPIC().interruptRequest.isEmpty)
  }

  @Test func `a message to nobody is blocked`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    _ = try vm.createEnabledVCPU(id: 0)
    #expect(try vm.signal(MSIMessage(vector: 0x70, destination: .physical(9))) == .blocked)
  }

  @Test func `a message before the first vCPU is blocked, and one with high bits refused`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    #expect(try vm.signal(MSIMessage(vector: 0x70, destination: .physical(0))) == .blocked)
    let error = try #require(throws: KVMError.self) {
      try vm.signal(MSIMessage(vector: 0x70, destination: .physical(0x300)))
    }
    #expect(error.errno == .notPermitted)
    #expect(error.hint?.contains("32-bit x2APIC IDs") == true)
  }

  @Test func `a line reaches the message that its GSI is routed to`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let vcpu = try vm.createEnabledVCPU(id: 0)
    try vm.setGSIRouting(GSIRoute.defaults + [.msi(gsi: 24, MSIMessage(vector: 0x81, destination: .physical(0)))])
    try vm.setLine(24, true)
    #expect(try vcpu.localAPIC().interruptRequest == [0x81])
  }

  @Test func `the default table is one that KVM takes`() throws {
    #expect(GSIRoute.defaults.count == 40)
    #expect(GSIRoute.defaults.filter { $0.gsi == 9 }.count == 2)
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    try vm.setGSIRouting(GSIRoute.defaults)
  }

  @Test(arguments: [
    GSIRoute.irqChip(gsi: 0, chip: .ioapic, pin: 24), .irqChip(gsi: 0, chip: .picMaster, pin: 8),
    .msi(gsi: 4096, MSIMessage(vector: 0x30, destination: .physical(0))),
  ])
  func `a route that cannot be says what may be wrong`(route: GSIRoute) throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let error = try #require(throws: KVMError.self) { try vm.setGSIRouting([route]) }
    #expect("\(error)".hasPrefix("KVM_SET_GSI_ROUTING failed: EINVAL (Invalid argument): a GSI is not below"))
  }

  @Test func `a pin answers ignored while masked, delivered, then coalesced`() throws {
    let vm = try KVM.open().createVM()
    try vm.createIRQChip()
    let vcpu = try vm.createEnabledVCPU(id: 0)
    #expect(try vm.setLineStatus(20, true) == .ignored)
    try vm.setLine(20, false)
    var ioapic = try vm.ioapic()
    ioapic.entries[20] = RedirectionEntry(rawValue: 0x60)
    try vm.setIOAPIC(ioapic)
    #expect(try vm.setLineStatus(20, true) == .delivered(1))
    #expect(try vm.setLineStatus(20, true) == .coalesced)
    #expect(try vcpu.localAPIC().interruptRequest == [0x60])
  }

  @Test func `without an irqchip there is no line, message or route`() throws {
    let vm = try KVM.open().createVM()
    let line = try #require(throws: KVMError.self) { try vm.setLine(1, true) }
    #expect(line.errno == .noSuchAddressOrDevice)
    #expect(line.hint?.contains("create the irqchip first") == true)
    #expect(throws: KVMError.self) { try vm.signal(MSIMessage(vector: 0x30, destination: .physical(0))) }
  }

  @Test(.enabled(if: Host.has(.x2APICAPI))) func `32-bit IDs carry a message to x2APIC 300`() throws {
    let vm = try KVM.open().createVM()
    try vm.enableX2APICAPI([.use32BitIDs, .disableBroadcastQuirk])
    try vm.createSplitIRQChip()
    let vcpu = try vm.createVCPU(id: 300)
    try vcpu.setCPUID(vm.system.supportedCPUID())
    var special = try vcpu.specialRegisters()
    special.apicBase.mode = .x2APIC
    try vcpu.setSpecialRegisters(special)
    var state = try vcpu.localAPIC()
    state.spurious = SpuriousInterruptVectorRegister(vector: 0xff)
    try vcpu.setLocalAPIC(state)
    #expect(state.id(mode: .x2APIC) == 300)
    #expect(try vm.signal(MSIMessage(vector: 0x91, destination: .physical(300))) == .delivered)
    #expect(try vcpu.localAPIC().interruptRequest == [0x91])
  }
}
