import APIC
import KVM
import MachineState
import Reports
import TestStates
import Testing

/// What a vCPU takes next, and each reason why it does not.
@Suite struct DeliveryTests {
  /// What vCPU 0 of a machine takes, whose state a test changes.
  private func delivery(_ change: (inout VCPUState) -> Void) throws -> DeliveryReport {
    var state = MadeUpMachine.state()
    change(&state.vcpus[0])
    return try #require(Inspection(state).vcpus.first).delivery
  }

  private func codes(_ report: DeliveryReport) -> [[DeliveryReport.Code]] {
    report.waiting.map { $0.obstacles.map(\.code) }
  }

  @Test func `nothing requested, nothing taken`() throws {
    let report = try delivery { _ in }
    #expect(report.next == nil)
    #expect(report.waiting.isEmpty)
    #expect(report.wakes == nil)
  }

  @Test func `the highest vector comes first, the lower ones after it`() throws {
    let report = try delivery { $0.localAPIC.interruptRequest = [0x31, 0x70, 0x8b] }
    #expect(report.next?.kind == .fixed)
    #expect(report.next?.vectors == [0x8b])
    #expect(report.waiting.map(\.vectors) == [[0x70, 0x31]])
    #expect(codes(report) == [[.behind]])
  }

  @Test func `the task priority holds its class and those below back`() throws {
    let report = try delivery {
      $0.localAPIC.interruptRequest = [0x31, 0x70, 0x8b]
      $0.localAPIC.taskPriority = 0x70
    }
    #expect(report.next?.vectors == [0x8b])
    #expect(report.waiting.map(\.vectors) == [[0x70, 0x31]])
    #expect(codes(report) == [[.taskPriority]])
    #expect(report.waiting[0].obstacles[0].text == "class 7 of 0x70 is not above the TPR, 0x70")
  }

  @Test func `an interrupt in service holds its class and those below back`() throws {
    let report = try delivery {
      $0.localAPIC.interruptRequest = [0x75]
      $0.localAPIC.inService = [0x71]
    }
    #expect(report.next == nil)
    #expect(codes(report) == [[.inService]])
  }

  @Test func `RFLAGS.IF and both shadows hold interrupts back`() throws {
    #expect(
      codes(
        try delivery {
          $0.localAPIC.interruptRequest = [0x75]
          $0.registers.rflags = 2
          $0.events.interrupt.shadow = 3
        }) == [[.interruptFlag, .stiShadow, .movSSShadow]])
  }

  @Test func `a local APIC that software has disabled still delivers what it has accepted, as KVM's does`() throws {
    let report = try delivery {
      $0.localAPIC.interruptRequest = [0x75]
      $0.localAPIC.spurious.isSoftwareEnabled = false
    }
    #expect(report.next?.vectors == [0x75])
  }

  @Test func `a local APIC that is disabled delivers nothing`() throws {
    let report = try delivery {
      $0.localAPIC.interruptRequest = [0x75]
      $0.specialRegisters.apicBase.mode = .disabled
    }
    #expect(report.next == nil)
    #expect(codes(report) == [[.apicDisabled]])
  }

  @Test(arguments: [
    (MPState.uninitialized, DeliveryReport.Code.waitsForINIT), (.initReceived, .waitsForSIPI),
    (.apResetHold, .waitsForSIPI),
  ]) func `a vCPU that was not started takes nothing`(state: MPState, code: DeliveryReport.Code) throws {
    let report = try delivery {
      $0.mpState = state
      $0.localAPIC.interruptRequest = [0x75]
      $0.events.nmi.pending = 1
    }
    #expect(report.next == nil)
    #expect(codes(report) == [[code], [code]])
  }

  @Test func `a halted vCPU is woken by what it can take, and by nothing else`() throws {
    func halted(_ flags: UInt64) throws -> DeliveryReport {
      try delivery {
        $0.mpState = .halted
        $0.localAPIC.interruptRequest = [0x75]
        $0.registers.rflags = flags
      }
    }
    #expect(try halted(0x202).wakes == true)
    #expect(try halted(0x2).wakes == false)
  }

  @Test func `an NMI waits for IRET and for the shadows, but not for RFLAGS.IF`() throws {
    let blocked = try delivery {
      $0.events.nmi.pending = 1
      $0.events.nmi.masked = true
      $0.events.interrupt.shadow = 1
    }
    #expect(codes(blocked) == [[.nmiBlocked, .movSSShadow]])
    let free = try delivery {
      $0.events.nmi.pending = 2
      $0.registers.rflags = 2
    }
    #expect(free.next?.kind == .nmi)
    #expect(free.next?.text == "NMI, 2 of them")
  }

  @Test func `what was begun comes before an exception, an SMI, an NMI and interrupts`() throws {
    let report = try delivery {
      $0.events.interrupt.injected = true
      $0.events.interrupt.number = 0x55
      $0.events.exception.pending = true
      $0.events.exception.number = 14
      $0.events.smi = VCPUEvents.SMI()
      $0.events.smi?.pending = true
      $0.events.nmi.pending = 1
      $0.localAPIC.interruptRequest = [0x75]
    }
    #expect(report.next?.kind == .injected)
    #expect(report.next?.vectors == [0x55])
    #expect(report.waiting.map(\.kind) == [.exception, .smi, .nmi, .fixed])
    #expect(codes(report) == [[.behind], [.behind], [.behind], [.behind]])
    #expect(report.waiting[0].obstacles[0].text == "after 0x55")
  }

  @Test func `an injected exception and an injected NMI are finished first, too`() throws {
    #expect(try delivery { $0.events.exception.injected = true }.next?.kind == .injected)
    #expect(try delivery { $0.events.nmi.injected = true }.next?.text == "NMI, whose delivery has begun")
  }

  @Test func `in system management mode an SMI and an INIT wait`() throws {
    let report = try delivery {
      $0.events.smi = VCPUEvents.SMI()
      $0.events.smi?.inSMM = true
      $0.events.smi?.pending = true
      $0.events.smi?.latchedINIT = true
    }
    #expect(report.waiting.map(\.kind) == [.initialize, .smi])
    #expect(codes(report) == [[.systemManagement], [.systemManagement]])
  }
}

/// What the PIC asks for, and who takes it.
@Suite struct PICDeliveryTests {
  private func state(_ change: (inout MachineState.PICPair) -> Void) throws -> MachineState {
    var state = MadeUpMachine.state()
    var pair = try #require(state.pics)
    pair.master.imr = 0
    pair.slave.imr = 0
    change(&pair)
    state.pics = pair
    return state
  }

  @Test func `an interrupt of the PIC comes before those of the local APIC, where LINT0 lets it through`() throws {
    var state = try state { $0.master.irr = 0b0000_1001 }
    state.vcpus[0].localAPIC.interruptRequest = [0xf0]
    state.vcpus[0].localAPIC.setLVT(.lint0, to: .pin(0, deliveryMode: .external))
    let inspection = Inspection(state)
    #expect(inspection.pic?.requestedLine == 0)
    #expect(inspection.pic?.listeners == [0])
    let delivery = inspection.vcpus[0].delivery
    #expect(delivery.next?.kind == .external)
    #expect(delivery.next?.vectors == [0x20])
    #expect(delivery.waiting.map(\.kind) == [.fixed])
  }

  @Test func `with LINT0 masked the bootstrap processor is told why nothing comes`() throws {
    let inspection = Inspection(try state { $0.master.irr = 1 })
    #expect(inspection.vcpus[0].delivery.waiting.first?.obstacles.map(\.code) == [.lint0])
    #expect(inspection.vcpus[1].delivery.waiting.isEmpty)
    #expect(inspection.pic?.listeners == [])
  }

  @Test func `without a local APIC the processor takes the PIC's interrupts`() throws {
    var state = try state { $0.master.irr = 1 }
    state.vcpus[0].specialRegisters.apicBase.mode = .disabled
    #expect(Inspection(state).vcpus[0].delivery.next?.kind == .external)
  }

  @Test func `the slave speaks through line 2`() throws {
    let inspection = Inspection(
      try state {
        $0.master.irr = 1 << 2
        $0.slave.irr = 1 << 5
      })
    #expect(inspection.pic?.requestedLine == 13)
    #expect(inspection.pic?.requestedVector == 0x2d)
  }

  @Test func `a line in service holds back its own and lower ones, wherever priority begins`() throws {
    func line(_ change: (inout MachineState.PICPair) -> Void) throws -> Int? {
      Inspection(try state(change)).pic?.requestedLine
    }
    #expect(try line { ($0.master.irr, $0.master.isr) = (0b1000, 0b10) } == nil)
    #expect(try line { ($0.master.irr, $0.master.isr) = (0b1, 0b10) } == 0)
    #expect(try line { ($0.master.irr, $0.master.isr, $0.master.priorityAdd) = (0b1000, 0b10, 3) } == 3)
    #expect(try line { ($0.master.irr, $0.master.imr) = (0b1000, 0b1000) } == nil)
  }

  @Test func `in special fully nested mode a slave in service does not hold back the slave`() throws {
    func line(_ mode: UInt8) throws -> Int? {
      Inspection(
        try state {
          $0.master.irr = 1 << 2
          $0.master.isr = 1 << 2
          $0.master.specialFullyNestedMode = mode
          $0.slave.irr = 1
        }
      ).pic?.requestedLine
    }
    #expect(try line(0) == nil)
    #expect(try line(1) == 8)
  }
}
