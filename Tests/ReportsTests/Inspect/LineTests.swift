import APIC
import KVM
import MachineState
import Reports
import TestStates
import Testing
import VMM

/// Where messages and lines lead.
@Suite struct LineTests {
  private func recipients(
    _ message: MSIMessage, vcpus: Int = 4, mode: APICMode = .x2APIC, change: (inout MachineState) -> Void = { _ in }
  ) throws -> Recipients {
    var state = MadeUpMachine.state(vcpus: vcpus, mode: mode)
    state.settings.routes = [.msi(gsi: 24, message)]
    change(&state)
    return try #require(Inspection(state).lines.first?.ways.first?.recipients)
  }

  @Test func `a physical destination is one vCPU, an unknown one nobody`() throws {
    #expect(try recipients(MSIMessage(vector: 0x70, destination: .physical(2))).text == "vCPU 2")
    #expect(try recipients(MSIMessage(vector: 0x70, destination: .physical(9))).text == "nobody")
  }

  @Test func `0xff is everyone only where KVM's quirk was not turned off`() throws {
    let message = MSIMessage(vector: 0x70, destination: .physical(0xff))
    #expect(try recipients(message).text == "nobody")
    #expect(try recipients(message) { $0.settings.capabilities = [] }.text == "every vCPU")
    #expect(try recipients(message, mode: .xAPIC).text == "every vCPU")
  }

  @Test func `without 32-bit IDs the upper address bits say nothing`() throws {
    let message = MSIMessage(vector: 0x70, destination: .physical(0x101))
    #expect(try recipients(message).text == "nobody")
    #expect(try recipients(message) { $0.settings.capabilities = [] }.text == "vCPU 1")
  }

  @Test func `logical destinations go by flat bits, clusters and x2APIC clusters`() throws {
    let flat = MSIMessage(vector: 0x70, destination: .logical(0b0101))
    #expect(try recipients(flat, mode: .xAPIC).targets.map(\.vcpu) == [0, 2])
    #expect(try recipients(flat).targets.map(\.vcpu) == [0, 2])
    let cluster = try recipients(MSIMessage(vector: 0x70, destination: .logical(0x13)), mode: .xAPIC) { state in
      for index in state.vcpus.indices {
        state.vcpus[index].localAPIC.setDestinationFormat(.cluster)
        state.vcpus[index].localAPIC.setLogicalID(UInt32(index / 2) << 4 | 1 << UInt32(index % 2), mode: .xAPIC)
      }
    }
    #expect(cluster.targets.map(\.vcpu) == [2, 3])
  }

  @Test func `a lowest-priority message goes to the one that its vector picks`() throws {
    // The remainders of 112, 113 and 114 by 3 are 1, 2 and 0.
    for (vector, chosen) in [(0x70, 2), (0x71, 3), (0x72, 0)] as [(UInt8, Int)] {
      let message = MSIMessage(
        vector: Vector(rawValue: vector), destination: .logical(0b1101), deliveryMode: .lowestPriority)
      let all = try recipients(message)
      #expect(all.targets.map(\.vcpu) == [0, 2, 3])
      #expect(all.chosen == chosen)
    }
    let hinted = MSIMessage(vector: 0x71, destination: .logical(0b11), redirectionHint: true)
    #expect(try recipients(hinted).text == "vCPU 1, by its vector, of vCPUs 0, 1")
  }

  @Test func `who takes no interrupt is named, and why`() throws {
    let all = MSIMessage(vector: 0x70, destination: .logical(0b11))
    let disabled = try recipients(all, vcpus: 2) { $0.vcpus[1].localAPIC.spurious.isSoftwareEnabled = false }
    #expect(disabled.text == "vCPU 0; not vCPU 1: disabled by software")
    let gone = try recipients(all, vcpus: 2) { $0.vcpus[1].specialRegisters.apicBase.mode = .disabled }
    #expect(gone.text == "vCPU 0")
    let low = try recipients(MSIMessage(vector: 0x05, destination: .physical(0)))
    #expect(low.text == "not vCPU 0: no priority lets a vector below 16 in")
  }

  @Test func `an NMI needs no enabled local APIC, a SIPI a vCPU that waits for it`() throws {
    let nmi = MSIMessage(vector: 0, destination: .physical(1), deliveryMode: .nmi)
    #expect(try recipients(nmi) { $0.vcpus[1].localAPIC.spurious.isSoftwareEnabled = false }.text == "vCPU 1")
    let start = MSIMessage(vector: 8, destination: .physical(1), deliveryMode: .startUp)
    #expect(try recipients(start).text == "not vCPU 1: it does not wait for SIPI")
    #expect(try recipients(start) { $0.vcpus[1].mpState = .initReceived }.text == "vCPU 1")
    let external = MSIMessage(vector: 0x70, destination: .physical(1), deliveryMode: .external)
    #expect(try recipients(external).text == "not vCPU 1: KVM delivers no ExtINT message")
  }

  @Test func `a message to another address is no interrupt`() {
    var state = MadeUpMachine.state()
    state.settings.routes = [.msi(gsi: 24, MSIMessage(address: 0x1000, data: 0x70))]
    #expect(Inspection(state).lines[0].ways[0].obstacle == "its address is no local APIC's")
  }

  @Test func `the ICR's command has its recipients, shorthands included`() {
    func text(_ command: InterruptCommand) -> String? {
      var state = MadeUpMachine.state(vcpus: 3)
      state.vcpus[1].localAPIC.setInterruptCommand(command, mode: .x2APIC)
      return Inspection(state).vcpus[1].commandRecipients?.text
    }
    #expect(text(InterruptCommand(vector: 0x70, destination: .physical(2))) == "vCPU 2")
    #expect(text(InterruptCommand(vector: 0x70, shorthand: .`self`)) == "vCPU 1")
    #expect(text(InterruptCommand(vector: 0x70, shorthand: .allExcludingSelf)) == "vCPUs 0, 2")
    #expect(text(InterruptCommand(vector: 0x70, shorthand: .allIncludingSelf)) == "every vCPU")
    #expect(text(InterruptCommand(vector: 0x70, destination: .physical(0xffff_ffff))) == "every vCPU")
  }

  private func ways(of gsi: UInt32, _ change: (inout MachineState) throws -> Void) throws -> [LineReport.Way] {
    var state = MadeUpMachine.state()
    try change(&state)
    return try #require(Inspection(state).lines.first { $0.gsi == gsi }).ways
  }

  @Test func `a GSI leads through the IOAPIC and the PIC, each with what stops it`() throws {
    let masked = try ways(of: 4) { _ in }
    #expect(masked.map(\.through) == [.ioapic, .pic])
    #expect(masked.map(\.obstacle) == ["masked", "masked"])
    let open = try ways(of: 4) {
      $0.ioapic?.entries[4] = RedirectionEntry(vector: 0x34, destination: .physical(1))
      $0.pics?.master.imr = 0
      $0.vcpus[0].localAPIC.setLVT(.lint0, to: .pin(0, deliveryMode: .external))
    }
    #expect(open.map { $0.recipients?.text } == ["vCPU 1", "vCPU 0, by LINT0"])
  }

  @Test func `a PIC that was given no vectors says so, and its lines read alike`() throws {
    let ways = try ([3, 4] as [UInt32]).map { line in try self.ways(of: line) { $0.pics?.master.irqBase = 0 }[1] }
    #expect(ways.map(\.entry) == ["not initialized, edge", "not initialized, edge"])
  }

  @Test func `a line of the slave needs the cascade, and somebody to listen`() throws {
    let cascade = try ways(of: 12) { $0.pics?.slave.imr = 0 }
    #expect(cascade[1].obstacle == "masked at the cascade, line 2")
    let silent = try ways(of: 12) {
      $0.pics?.slave.imr = 0
      $0.pics?.master.imr = 0
    }
    #expect(silent[1].obstacle == "no vCPU has an unmasked ExtINT at LINT0")
    let starting = try ways(of: 12) { $0.pics?.slave.initState = 1 }
    #expect(starting[1].obstacle == "the chip is being initialized")
    #expect(try ways(of: 2) { $0.pics?.master.imr = 0 }[1].obstacle == "the cascade of lines 8 to 15")
  }

  @Test func `a level that waits for its EOI says so`() throws {
    let way = try ways(of: 9) {
      $0.ioapic?.entries[9] = RedirectionEntry(vector: 0x39, destination: .physical(0), triggerMode: .level)
      $0.ioapic?.entries[9].remoteIRR = true
    }[0]
    #expect(way.status == "remote IRR: the next waits for an EOI")
    #expect(way.recipients?.text == "vCPU 0")
  }

  @Test func `an irqfd without a route leads nowhere, with one its GSI names it`() throws {
    var state = MadeUpMachine.state()
    state.settings.routes = [.msi(gsi: 24, MSIMessage(vector: 0x70, destination: .physical(0)))]
    var second = IRQFDState(gsi: 30)
    second.pending = 2
    state.irqfds = [IRQFDState(gsi: 24), second]
    let lines = Inspection(state).lines
    #expect(lines.map(\.gsi) == [24, 30])
    #expect(lines.map(\.sources) == [["irqfd 0"], ["irqfd 1 (2 signalled and not taken)"]])
    #expect(lines[1].ways.isEmpty)
    #expect(Inspection(state).text().contains("nowhere: it has no route"))
  }

  @Test func `a split irqchip's lines go through the IOAPIC of this process`() throws {
    var state = MadeUpMachine.state()
    (state.ioapic, state.pics, state.pit) = (nil, nil, nil)
    state.configuration.irqChip = .split
    state.settings.hasIRQChip = false
    var chip = SplitIOAPICState()
    chip.entries[5] = RedirectionEntry(vector: 0x35, destination: .physical(1))
    chip.levels = 1 << 5
    state.splitIOAPIC = chip
    let inspection = Inspection(state)
    #expect(inspection.pic == nil)
    #expect(inspection.lines.count == 24)
    #expect(inspection.lines[5].ways[0].recipients?.text == "vCPU 1")
    #expect(inspection.lines[5].ways[0].status == "high")
    #expect(inspection.lines[6].ways[0].obstacle == "masked")
  }

  @Test func `a route to a pin that is not there is no trap`() throws {
    for route in [
      GSIRoute.irqChip(gsi: 40, chip: .ioapic, pin: 99), .irqChip(gsi: 40, chip: .ioapic, pin: .max),
      .irqChip(gsi: 40, chip: .picSlave, pin: .max), .hypervSINT(gsi: 40, vcpu: .max, sint: .max),
    ] {
      let way = try ways(of: 40) { $0.settings.routes = [route] }[0]
      #expect(way.recipients == nil)
      #expect(way.obstacle != nil)
    }
  }
}
