import APIC
import KVM
import VMM

extension DebugSession {
  /// What gdb may ask for, beside what every stub has.
  private static let supported = [
    "PacketSize=\(String(Packet.sizeLimit, radix: 16))", "QStartNoAckMode+", "qXfer:features:read+",
    "vContSupported+", "swbreak+", "hwbreak+",
  ].joined(separator: ";")

  /// What gdb takes for a bad address: EFAULT.
  private static let badAddress = "E14"
  /// And for fields that mean nothing: EINVAL.
  private static let invalid = "E22"

  /// Answers a packet.
  func answer(_ command: RemoteCommand) {
    if state == .running { return answerWhileRunning(command) }
    do throws(KVMError) {
      try answerStopped(command)
    } catch {
      refuse("\(error)")
    }
  }

  /// gdb says nothing while the guest runs, but for Ctrl-C. Who does is told so, unless he wants to go.
  private func answerWhileRunning(_ command: RemoteCommand) {
    switch command {
    case .kill, .killProcess, .detach: try? answerStopped(command)
    default: reply("E.the guest runs: interrupt it first")
    }
  }

  private func answerStopped(_ command: RemoteCommand) throws(KVMError) {
    switch command {
    case .stopReason: try reportStop(lastReason)
    case .readRegisters, .writeRegisters, .readRegister, .writeRegister: try answerRegisters(command)
    case .readMemory, .writeMemory, .insertBreakpoint, .removeBreakpoint: try answerMemory(command)
    case .resume, .resumeSelected: try answerResume(command)
    case .selectForAccess, .selectForResume, .isThreadAlive, .firstThreads, .moreThreads, .currentThread,
      .threadDescription:
      try answerThreads(command)
    case .resumeKinds: reply("vCont;c;C;s;S;t")
    case .kill: kill()
    case .killProcess:
      reply("OK")
      kill()
    case .detach:
      reply("OK")
      leave()
    case .features(let offered):
      if offered.contains("swbreak+") { features.insert(.softwareBreakpoints) }
      if offered.contains("hwbreak+") { features.insert(.hardwareBreakpoints) }
      reply(Self.supported)
    case .startNoAckMode: stopAcknowledging()
    case .targetDescription(let annex, let offset, let count): describeTarget(annex, offset, count)
    case .monitor(let text): monitor(MonitorCommand(text))
    // The guest was there before gdb, which therefore lets it go on when it goes.
    case .isAttached: reply("1")
    case .unknown: reply("")
    case .malformed: reply(Self.invalid)
    }
  }

  private func kill() {
    state = .over
    target.machine.end(.stopped)
  }

  // MARK: Registers

  private func answerRegisters(_ command: RemoteCommand) throws(KVMError) {
    let old = try target.registers(of: selected)
    var new = old
    do throws(RegisterFile.Refusal) {
      switch command {
      case .readRegisters: return reply(bytes: Packet.hexDigits(of: old.bytes))
      case .readRegister(let number):
        guard let bytes = old[number] else { throw .unknown }
        return reply(bytes: Packet.hexDigits(of: bytes))
      case .writeRegisters(let bytes): try new.set(all: bytes)
      case .writeRegister(let number, let bytes): try new.set(number, bytes)
      default: return reply(Self.invalid)
      }
    } catch {
      switch error {
      case .unknown, .size: return reply(Self.invalid)
      case .readOnly(let name): return reply("E.\(name) cannot be changed from here")
      }
    }
    try target.set(new, of: selected, whichHas: old)
    reply("OK")
  }

  // MARK: Memory and breakpoints

  private func answerMemory(_ command: RemoteCommand) throws(KVMError) {
    switch command {
    case .readMemory(let address, let count):
      // Two digits a byte; gdb asks for the rest.
      let bytes = try target.read(min(count, UInt64(Packet.sizeLimit) / 2), at: address, of: selected)
      bytes.isEmpty && count > 0 ? reply(Self.badAddress) : reply(bytes: Packet.hexDigits(of: bytes))
    case .writeMemory(let address, let bytes):
      reply(try target.write(bytes, at: address, of: selected) ? "OK" : Self.badAddress)
    case .insertBreakpoint(let kind, let address, let size):
      do throws(DebugTarget.BreakpointError) {
        try target.insert(kind, at: address, size: size, of: selected)
        reply("OK")
      } catch {
        switch error {
        case .noMemory: reply(Self.badAddress)
        case .noneLeft: refuse("the processor has 4 debug registers, of 8 aligned bytes at most")
        // gdb takes an empty answer for a kind that there is not, and watches reads and writes instead.
        case .unsupported where kind == .readWatch: reply("")
        case .unsupported(let reason): refuse(reason)
        case .refused(let error): throw error
        }
      }
    case .removeBreakpoint(let kind, let address, _):
      target.remove(kind, at: address)
      reply("OK")
    default: reply(Self.invalid)
    }
  }

  // MARK: Threads

  private func answerThreads(_ command: RemoteCommand) throws(KVMError) {
    let vcpus = target.machine.vcpus
    switch command {
    case .selectForAccess(let threads):
      guard threads != .all, let index = index(threads) else { return reply(Self.invalid) }
      selected = index
      reply("OK")
    case .selectForResume(let threads):
      guard index(threads) != nil else { return reply(Self.invalid) }
      resumed = threads
      reply("OK")
    case .isThreadAlive(let threads): reply(index(threads) == nil ? Self.invalid : "OK")
    case .firstThreads: reply("m" + vcpus.indices.map { StopReply.digits(UInt64($0 + 1)) }.joined(separator: ","))
    case .moreThreads: reply("l")
    case .currentThread: reply("QC" + StopReply.digits(UInt64(selected + 1)))
    case .threadDescription(let threads):
      guard let index = index(threads) else { return reply(Self.invalid) }
      let text = "vCPU \(index), APIC id \(vcpus[index].id), \(try vcpus[index].mpState())"
      reply(bytes: Packet.hexDigits(of: text.utf8))
    default: reply(Self.invalid)
    }
  }

  /// The vCPU that a selection names, of whichever the selected one; nil where there is none.
  private func index(_ threads: ThreadSelection) -> Int? {
    switch threads {
    case .all, .any: selected
    case .one(let index): target.machine.vcpus.indices.contains(index) ? index : nil
    }
  }

  // MARK: The rest

  private func describeTarget(_ annex: String, _ offset: UInt64, _ count: UInt64) {
    guard annex == TargetDescription.annex else { return reply("E00") }
    let text = Array(TargetDescription.text.utf8)
    guard let start = Int(exactly: offset), start <= text.count else { return reply(Self.invalid) }
    // Escapes may make it longer.
    let piece = text[start...].prefix(Int(min(count, UInt64(Packet.sizeLimit) / 2)))
    let letter = start + piece.count == text.count ? "l" : "m"
    reply(bytes: Array(letter.utf8) + piece)
  }

  private func monitor(_ command: MonitorCommand) {
    switch command {
    case .help: show(MonitorCommand.helpText)
    case .support: show(target.support.text)
    case .show(let topic): show(words(topic, selected) + "\n")
    case .unknown: show("There is no such command; 'monitor help' has those that there are.\n")
    case .stepInterrupts(let wanted):
      if wanted == false, !target.support.blocksInterrupts {
        return show("\(target.support.backEnd) knows no KVM_GUESTDBG_BLOCKIRQ: interrupts come into single steps.\n")
      }
      if let wanted { target.stepsTakeInterrupts = wanted }
      show("Interrupts \(target.stepsTakeInterrupts ? "may come into" : "are kept out of") single steps.\n")
    }
  }

  /// Has gdb print a text, in packets as long as may be.
  private func show(_ text: String) {
    // Names in a state may be anybody's: nothing but printable characters and line ends reaches a terminal.
    let bytes = text.unicodeScalars.flatMap { scalar -> [UInt8] in
      let isPrintable = scalar == "\n" || !(scalar.properties.generalCategory == .control)
      return Array(String(isPrintable ? scalar : "\u{fffd}").utf8)
    }
    for start in stride(from: 0, to: bytes.count, by: Packet.sizeLimit / 4) {
      reply(bytes: Array("O".utf8) + Packet.hexDigits(of: bytes[start...].prefix(Packet.sizeLimit / 4)))
    }
    reply("OK")
  }
}
