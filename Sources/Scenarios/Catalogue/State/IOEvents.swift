import APIC
import KVM
import SystemPackage
import VMM

/// KVM_IOEVENTFD: guest writes that signal an event and never reach the machine.
extension Scenario {
  private static let port: UInt16 = 0x5c00
  private static let address: UInt64 = 0xd000_0000

  /// A port.
  static let ioEventPort = Scenario(
    "state.ioeventfd.pio", "An ioeventfd on a port counts the guest's writes of its length, and lets others through",
    exercises: ["kvm_assign_ioeventfd", "ioeventfd_write", "KVM_IOEVENTFD"], needs: [.capability(.ioEventFD)]
  ) { test in
    let event = try EventDescriptor()
    try test.stimulus { try test.vm.assignIOEvent(event, at: .port(port), length: 2) }
    for value in UInt32(1)...5 { try test[vcpu: 0].writePort(port, value, width: 2) }
    try test.check("writes that were counted", try event.read(), equals: 5)
    try test.check("writes that left the kernel", test.unclaimed, equals: 0)
    try test[vcpu: 0].writePort(port, 1, width: 1)
    try test.check("writes of another length that were counted", try event.read(), equals: 0)
    try test.check("writes of another length that left the kernel", test.unclaimed, equals: 1)
    try test.vm.deassignIOEvent(event, at: .port(port), length: 2)
    try test[vcpu: 0].writePort(port, 1, width: 2)
    try test.check("writes after its end that left the kernel", test.unclaimed, equals: 2)
  }

  /// Memory.
  static let ioEventMemory = Scenario(
    "state.ioeventfd.mmio", "An ioeventfd on an address counts the guest's writes there, from every vCPU", vcpus: 2,
    exercises: ["kvm_assign_ioeventfd", "ioeventfd_write", "kvm_io_bus_write", "KVM_IOEVENTFD"],
    needs: [.capability(.ioEventFD)]
  ) { test in
    let event = try EventDescriptor()
    try test.stimulus { try test.vm.assignIOEvent(event, at: .mmio(address), length: 4) }
    for vcpu in test.vcpus {
      for value in UInt32(1)...3 { try vcpu.writeMemory(address, value) }
    }
    try test.check("writes that were counted", try event.read(), equals: 6)
    try test.check("writes that left the kernel", test.unclaimed, equals: 0)
    try test[vcpu: 0].writeMemory(address + 4, 1)
    try test.check("writes beside it that left the kernel", test.unclaimed, equals: 1)
  }

  /// A value.
  static let ioEventMatch = Scenario(
    "state.ioeventfd.datamatch", "Ioeventfds on one address tell their values apart, and leave others to the machine",
    exercises: ["ioeventfd_in_range", "ioeventfd_check_collision", "KVM_IOEVENTFD"], needs: [.capability(.ioEventFD)]
  ) { test in
    let events = [try EventDescriptor(), try EventDescriptor()]
    try test.stimulus {
      for (value, event) in events.enumerated() {
        try test.vm.assignIOEvent(event, at: .mmio(address), length: 4, match: UInt64(value))
      }
    }
    for value: UInt32 in [0, 1, 1, 2] { try test[vcpu: 0].writeMemory(address, value) }
    try test.check("writes of 0", try events[0].read(), equals: 1)
    try test.check("writes of 1", try events[1].read(), equals: 2)
    try test.check("writes of 2 that left the kernel", test.unclaimed, equals: 1)
    try test.expectRefusal("the same value twice", .fileExists) { () throws(KVMError) in
      try test.vm.assignIOEvent(events[0], at: .mmio(address), length: 4, match: 1)
    }
  }

  /// Any length.
  static let ioEventAnyLength = Scenario(
    "state.ioeventfd.any-length", "An ioeventfd without a length counts writes of every length",
    exercises: ["ioeventfd_in_range", "KVM_CAP_IOEVENTFD_ANY_LENGTH", "KVM_FAST_MMIO_BUS"],
    needs: [.capability(.ioEventFDAnyLength)]
  ) { test in
    let (ports, memory) = (try EventDescriptor(), try EventDescriptor())
    try test.stimulus {
      try test.vm.assignIOEvent(ports, at: .port(port))
      try test.vm.assignIOEvent(memory, at: .mmio(address))
    }
    for width in [1, 2, 4] { try test[vcpu: 0].writePort(port, 0, width: width) }
    try test[vcpu: 0].writeMemory(address, 7)
    try test.check("writes to the port", try ports.read(), equals: 3)
    try test.check("writes to memory", try memory.read(), equals: 1)
    try test.check("writes that left the kernel", test.unclaimed, equals: 0)
    try test.expectRefusal("a value to match without a length", .invalidArgument) { () throws(KVMError) in
      try test.vm.assignIOEvent(ports, at: .port(port + 8), match: 1)
    }
  }

  /// From a guest's write to an interrupt without user space.
  static let ioEventToIRQFD = Scenario(
    "state.ioeventfd.irqfd", "An event that is both ioeventfd and irqfd interrupts a vCPU at another's write", vcpus: 2,
    exercises: ["ioeventfd_write", "irqfd_wakeup", "irqfd_inject", "KVM_IOEVENTFD", "KVM_IRQFD"],
    needs: [.capability(.ioEventFD), .capability(.irqFD)]
  ) { test in
    let event = try EventDescriptor()
    try test.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: test[vcpu: 1].destination))
    try test.vm.assignIRQFD(event, gsi: 30)
    try test[vcpu: 1].halt()
    try test.stimulus { try test.vm.assignIOEvent(event, at: .port(port), length: 4) }
    try test[vcpu: 0].writePort(port, 1, width: 4)
    try test.expect(1, of: 0x8e, on: 1)
    try test.check("writes that left the kernel", test.unclaimed, equals: 0)
  }
}

extension TestContext {
  /// How many accesses reached the machine and no device of it.
  fileprivate var unclaimed: UInt64 { machine.unclaimedAccesses.reduce(0) { $0 + $1.accesses.count } }
}
