public import APIC
public import KVM
public import ReferenceModel

/// Writes down what is done as Swift source on the library KVM: the model gives the answers that a step needs.
///
/// The source is the body of a scenario, with `vm` and `vcpus`.
public final class SourceSubject: ModelSubject {
  /// The lines so far.
  public private(set) var lines: [String] = []
  private var read: [Int: LocalAPICState] = [:]

  private func write(_ line: String) { lines.append(line) }

  public override func perform(concurrently actors: [[Step]]) throws(KVMError) -> [[ActorStep]] {
    for (number, steps) in actors.enumerated() {
      write("// on a thread of its own, at the same time as the others: actor \(number + 1)")
      for step in steps { _ = try perform(step) }
    }
    return []
  }

  public override func send(_ message: MSIMessage) -> DeliveryAnswer {
    let answer = super.send(message)
    write(
      "try vm.send(MSIMessage(address: \(hex(message.address)), data: \(hex(message.data))))  // \(StepAnswer.delivery(answer))"
    )
    return answer
  }

  public override func setLine(_ gsi: UInt32, to level: Bool, tellsStatus: Bool) -> DeliveryAnswer? {
    let answer = super.setLine(gsi, to: level, tellsStatus: tellsStatus)
    let call = tellsStatus ? "setLineStatus" : "setLine"
    write("try vm.\(call)(\(gsi), \(level))" + (answer.map { "  // \(StepAnswer.delivery($0))" } ?? ""))
    return answer
  }

  public override func fire(_ gsi: UInt32) {
    super.fire(gsi)
    write(
      "try { let event = try EventDescriptor(); try vm.assignIRQFD(event, gsi: \(gsi)); try event.write(); try vm.deassignIRQFD(event, gsi: \(gsi)) }()"
    )
  }

  public override func setRoutes(_ routes: [GSIRoute]) {
    super.setRoutes(routes)
    let own = routes.filter { !GSIRoute.defaults.contains($0) }
    let shown = own.map { route in
      switch route {
      case .msi(let gsi, let message):
        ".msi(gsi: \(gsi), MSIMessage(address: \(hex(message.address)), data: \(hex(message.data))))"
      case .irqChip(let gsi, let chip, let pin): ".irqChip(gsi: \(gsi), chip: .\(chip), pin: \(pin))"
      case .hypervSINT(let gsi, let vcpu, let sint): ".hypervSINT(gsi: \(gsi), vcpu: \(vcpu), sint: \(sint))"
      }
    }
    write("try vm.setGSIRouting(GSIRoute.defaults + [\(shown.joined(separator: ", "))])")
  }

  public override func readMSR(_ vcpu: Int, _ index: UInt32) -> StepAnswer {
    let answer = super.readMSR(vcpu, index)
    write("try vcpus[\(vcpu)].msrs([\(hex(index))])  // \(answer)")
    return answer
  }

  public override func writeMSR(_ vcpu: Int, _ index: UInt32, _ value: UInt64) -> Bool {
    let isTaken = super.writeMSR(vcpu, index, value)
    write(
      "try vcpus[\(vcpu)].setMSRs([MSREntry(index: \(hex(index)), value: \(hex(value)))])"
        + (isTaken ? "" : "  // refused"))
    return isTaken
  }

  public override func localAPIC(_ vcpu: Int) -> LocalAPICState {
    let state = super.localAPIC(vcpu)
    read[vcpu] = state
    return state
  }

  public override func setLocalAPIC(_ vcpu: Int, _ state: LocalAPICState) -> Bool {
    write("var page\(lines.count) = try vcpus[\(vcpu)].localAPIC()")
    let name = "page\(lines.count - 1)"
    let old = read[vcpu] ?? super.localAPIC(vcpu)
    for index in 0..<256 where old.registers[index] != state.registers[index] {
      write("\(name).registers[\(hex(index * 4)) / 4] = \(hex(state.registers[index]))")
    }
    write("try vcpus[\(vcpu)].setLocalAPIC(\(name))")
    return super.setLocalAPIC(vcpu, state)
  }

  public override func setIOAPIC(_ state: IOAPICState) {
    let old = super.ioapic()
    let name = "ioapic\(lines.count)"
    write("var \(name) = try vm.ioapic()")
    for pin in state.entries.indices where state.entries[pin] != old.entries[pin] {
      write("\(name).entries[\(pin)] = RedirectionEntry(rawValue: \(hex(state.entries[pin].rawValue)))")
    }
    if state.id != old.id { write("\(name).id = \(state.id)") }
    if state.registerSelect != old.registerSelect { write("\(name).registerSelect = \(state.registerSelect)") }
    write("try vm.setIOAPIC(\(name))")
    super.setIOAPIC(state)
  }

  public override func setPIC(_ chip: PIC.Chip, _ state: PICState) {
    let name = "pic\(lines.count)"
    let old = super.pic(chip)
    write("var \(name) = try vm.pic(.\(chip))")
    for (field, path) in Self.picFields where old[keyPath: path] != state[keyPath: path] {
      write("\(name).\(field) = \(hex(state[keyPath: path]))")
    }
    write("try vm.setPIC(.\(chip), \(name))")
    super.setPIC(chip, state)
  }

  private static var picFields: [(String, KeyPath<PICState, UInt8>)] {
    [
      ("lastIRR", \.lastIRR), ("irr", \.irr), ("imr", \.imr), ("isr", \.isr), ("priorityAdd", \.priorityAdd),
      ("irqBase", \.irqBase), ("readRegisterSelect", \.readRegisterSelect), ("poll", \.poll),
      ("specialMask", \.specialMask), ("initState", \.initState), ("autoEOI", \.autoEOI),
      ("rotateOnAutoEOI", \.rotateOnAutoEOI), ("specialFullyNestedMode", \.specialFullyNestedMode), ("init4", \.init4),
      ("elcr", \.elcr),
    ]
  }

  public override func signalNMI(_ vcpu: Int) {
    super.signalNMI(vcpu)
    write("try vcpus[\(vcpu)].nmi()")
  }

  public override func activity(_ vcpu: Int) -> UInt64 {
    let state = super.activity(vcpu)
    write("try vcpus[\(vcpu)].mpState()  // \(MPState(rawValue: UInt32(state)).map { "\($0)" } ?? "\(state)")")
    return state
  }

  public override func setActivity(_ vcpu: Int, _ state: MPState) -> Bool {
    write("try vcpus[\(vcpu)].setMPState(.\(state))")
    return super.setActivity(vcpu, state)
  }

  public override func accessMSR(_ vcpu: Int, _ index: UInt32, writing value: UInt64?) -> StepAnswer {
    let answer = super.accessMSR(vcpu, index, writing: value)
    let instruction = value.map { "WRMSR \(hex(index)), \(hex($0))" } ?? "RDMSR \(hex(index))"
    write("try vcpus[\(vcpu)].run()  // with interrupts off: \(instruction): \(answer)")
    return answer
  }

  public override func access(_ vcpu: Int, _ access: GuestAccess) -> StepAnswer {
    let answer = super.access(vcpu, access)
    write("try vcpus[\(vcpu)].run()  // with interrupts off: \(access): \(answer)")
    return answer
  }

  public override func runWithInterruptsOff(_ vcpu: Int) -> StepAnswer {
    let answer = super.runWithInterruptsOff(vcpu)
    write("try vcpus[\(vcpu)].run()  // with interrupts off: \(answer)")
    return answer
  }

  public override func halt(_ vcpu: Int, _ form: HaltForm) -> StepAnswer {
    let answer = super.halt(vcpu, form)
    let instructions =
      switch form {
      case .haltAfterSTI: "STI; HLT"
      case .halt: "HLT with interrupts on"
      case .instructionAfterSTI: "STI; OUT"
      }
    write("try vcpus[\(vcpu)].run()  // \(instructions): \(answer == .done ? "takes none" : "\(answer)")")
    return answer
  }

  public override func takeInterrupt(_ vcpu: Int) -> StepAnswer {
    let answer = super.takeInterrupt(vcpu)
    write("try vcpus[\(vcpu)].run()  // with interrupts on: \(answer == .done ? "takes none" : "\(answer)")")
    return answer
  }
}

extension History {
  /// The history as Swift source: the beginning, then each step.
  ///
  /// - Parameter deviations: Which kernel the answers in the remarks are of.
  public func source(_ deviations: Deviations) -> [String] {
    let subject = SourceSubject(ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: deviations))
    var lines: [String] = []
    do throws(KVMError) {
      try HistoryRun.begin(machine, subject)
      lines = subject.lines
      for step in steps {
        lines.append("// \(step.text)")
        let before = subject.lines.count
        if step.isConcurrent {
          _ = try subject.perform(concurrently: step.actors)
        } else {
          _ = try subject.perform(step)
        }
        lines += subject.lines[before...]
      }
    } catch {
      lines.append("// \(error)")
    }
    return lines
  }
}
