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
  ) { stage in
    let event = try EventDescriptor()
    try stage.stimulus { try stage.vm.assignIOEvent(event, at: .port(port), length: 2) }
    for value in UInt32(1)...5 { try stage[vcpu: 0].writePort(port, value, width: 2) }
    try stage.check("writes that were counted", try event.read(), equals: 5)
    try stage.check("writes that left the kernel", stage.unclaimed, equals: 0)
    try stage[vcpu: 0].writePort(port, 1, width: 1)
    try stage.check("writes of another length that were counted", try event.read(), equals: 0)
    try stage.check("writes of another length that left the kernel", stage.unclaimed, equals: 1)
    try stage.vm.deassignIOEvent(event, at: .port(port), length: 2)
    try stage[vcpu: 0].writePort(port, 1, width: 2)
    try stage.check("writes after its end that left the kernel", stage.unclaimed, equals: 2)
  }

  /// Memory.
  static let ioEventMemory = Scenario(
    "state.ioeventfd.mmio", "An ioeventfd on an address counts the guest's writes there, from every vCPU", vcpus: 2,
    exercises: ["kvm_assign_ioeventfd", "ioeventfd_write", "kvm_io_bus_write", "KVM_IOEVENTFD"],
    needs: [.capability(.ioEventFD)]
  ) { stage in
    let event = try EventDescriptor()
    try stage.stimulus { try stage.vm.assignIOEvent(event, at: .mmio(address), length: 4) }
    for vcpu in stage.vcpus {
      for value in UInt32(1)...3 { try vcpu.writeMemory(address, value) }
    }
    try stage.check("writes that were counted", try event.read(), equals: 6)
    try stage.check("writes that left the kernel", stage.unclaimed, equals: 0)
    try stage[vcpu: 0].writeMemory(address + 4, 1)
    try stage.check("writes beside it that left the kernel", stage.unclaimed, equals: 1)
  }

  /// A value.
  static let ioEventMatch = Scenario(
    "state.ioeventfd.datamatch", "Ioeventfds on one address tell their values apart, and leave others to the machine",
    exercises: ["ioeventfd_in_range", "ioeventfd_check_collision", "KVM_IOEVENTFD"], needs: [.capability(.ioEventFD)]
  ) { stage in
    let events = [try EventDescriptor(), try EventDescriptor()]
    try stage.stimulus {
      for (value, event) in events.enumerated() {
        try stage.vm.assignIOEvent(event, at: .mmio(address), length: 4, match: UInt64(value))
      }
    }
    for value: UInt32 in [0, 1, 1, 2] { try stage[vcpu: 0].writeMemory(address, value) }
    try stage.check("writes of 0", try events[0].read(), equals: 1)
    try stage.check("writes of 1", try events[1].read(), equals: 2)
    try stage.check("writes of 2 that left the kernel", stage.unclaimed, equals: 1)
    try stage.expectRefusal("the same value twice", .fileExists) { () throws(KVMError) in
      try stage.vm.assignIOEvent(events[0], at: .mmio(address), length: 4, match: 1)
    }
  }

  /// Any length.
  static let ioEventAnyLength = Scenario(
    "state.ioeventfd.any-length", "An ioeventfd without a length counts writes of every length",
    exercises: ["ioeventfd_in_range", "KVM_CAP_IOEVENTFD_ANY_LENGTH", "KVM_FAST_MMIO_BUS"],
    needs: [.capability(.ioEventFDAnyLength)]
  ) { stage in
    let (ports, memory) = (try EventDescriptor(), try EventDescriptor())
    try stage.stimulus {
      try stage.vm.assignIOEvent(ports, at: .port(port))
      try stage.vm.assignIOEvent(memory, at: .mmio(address))
    }
    for width in [1, 2, 4] { try stage[vcpu: 0].writePort(port, 0, width: width) }
    try stage[vcpu: 0].writeMemory(address, 7)
    try stage.check("writes to the port", try ports.read(), equals: 3)
    try stage.check("writes to memory", try memory.read(), equals: 1)
    try stage.check("writes that left the kernel", stage.unclaimed, equals: 0)
    try stage.expectRefusal("a value to match without a length", .invalidArgument) { () throws(KVMError) in
      try stage.vm.assignIOEvent(ports, at: .port(port + 8), match: 1)
    }
  }

  /// From a guest's write to an interrupt without user space.
  static let ioEventToIRQFD = Scenario(
    "state.ioeventfd.irqfd", "An event that is both ioeventfd and irqfd interrupts a vCPU at another's write", vcpus: 2,
    exercises: ["ioeventfd_write", "irqfd_wakeup", "irqfd_inject", "KVM_IOEVENTFD", "KVM_IRQFD"],
    needs: [.capability(.ioEventFD), .capability(.irqFD)]
  ) { stage in
    let event = try EventDescriptor()
    try stage.machine.interrupts.route(30, to: MSIMessage(vector: 0x8e, destination: stage[vcpu: 1].destination))
    try stage.vm.assignIRQFD(event, gsi: 30)
    try stage[vcpu: 1].halt()
    try stage.stimulus { try stage.vm.assignIOEvent(event, at: .port(port), length: 4) }
    try stage[vcpu: 0].writePort(port, 1, width: 4)
    try stage.expect(1, of: 0x8e, on: 1)
    try stage.check("writes that left the kernel", stage.unclaimed, equals: 0)
  }
}

extension Stage {
  /// How many accesses reached the machine and no device of it.
  fileprivate var unclaimed: UInt64 { machine.unclaimedAccesses.reduce(0) { $0 + $1.accesses.count } }
}
