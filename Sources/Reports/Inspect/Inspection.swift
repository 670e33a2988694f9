public import APIC
public import ForeignStates
import KVM
public import MachineState
public import Rules
import VMM

/// A machine's state as an engineer wants to see it: the value behind the text for a person and the JSON document
/// `lapwing.inspection/1`.
///
/// docs/inspect.md describes the document's keys.
public struct Inspection: Codable, Hashable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.inspection/1"

  /// `lapwing.inspection/1`.
  public var schema = Inspection.schema
  /// `machine`, or `page` for a local APIC's register page alone.
  public var kind: Kind
  /// The format that it was read from; absent for a state of Lapwing's own.
  public var format: StateFormat?
  /// What the file does not hold of the machine; absent where it holds everything.
  public var notKnown: [String]?
  /// What the format has to say besides; absent where it has nothing.
  public var remarks: [String]?
  /// What is wrong with it, what is surest first.
  public var findings: [Finding]
  /// The vCPUs that were asked for.
  public var vcpus: [VCPUInspection]
  /// The PICs; absent where they are not in the kernel.
  public var pic: PICInspection?
  /// The channels of the interval timer; absent where there is none in the kernel.
  public var pit: [PITChannelInspection]?
  /// Where each GSI leads.
  public var lines: [LineReport]
  /// The registers of the chips and of the machine.
  public var groups: [RegisterGroup]

  /// What was looked at.
  public enum Kind: String, Codable, Sendable {
    /// A whole machine.
    case machine
    /// The register page of a local APIC.
    case page
  }

  /// A machine.
  ///
  /// - Parameters:
  ///   - state: its state.
  ///   - vcpu: the only vCPU to look at, by its index; nil for all of them.
  ///   - word: reads 32 bits of guest memory; nil where they are not there.
  public init(_ state: MachineState, vcpu: Int? = nil, word: (UInt64) -> UInt32? = { _ in nil }) {
    self.init(InspectableState(state), vcpu: vcpu, word: word)
  }

  /// A machine as far as a file holds it.
  ///
  /// - Parameters:
  ///   - known: its state.
  ///   - mode: the mode of every local APIC of which the file does not say it; nil to tell it by the LDR.
  ///   - vcpu: the only vCPU to look at, by its index; nil for all of them.
  ///   - word: reads 32 bits of guest memory; nil where they are not there.
  public init(
    _ known: InspectableState, mode: APICMode? = nil, vcpu: Int? = nil, word: (UInt64) -> UInt32? = { _ in nil }
  ) {
    let knownVCPUs = known.vcpus
    let views = knownVCPUs.map { LocalAPICView($0, mode: mode) }
    let state = known.assumed(views)
    let processors = Processors(state)
    kind = known.format == .pages ? .page : .machine
    format = known.format == .lapwing || known.format == .pages ? nil : known.format
    let missing = known.format == .pages ? [] : InspectableState.Part.allCases.filter { !known.knows($0) }
    notKnown = missing.isEmpty ? nil : missing.map(\.words)
    findings = known.findings().filter { finding in
      vcpu == nil || !finding.owner.hasPrefix("vCPU ") || finding.owner == "vCPU \(vcpu ?? 0)"
    }
    remarks = known.remarks.isEmpty ? nil : known.remarks
    vcpus = state.vcpus.indices.filter { vcpu == nil || vcpu == $0 }.map {
      VCPUInspection(knownVCPUs[$0], views[$0], of: state, processors, word: word)
    }
    if kind == .page, vcpus.count == 1, vcpu == nil { vcpus[0].index = nil }
    pic = state.pics.map { PICInspection($0, state) }
    pit = state.pit.map { chip in
      chip.channels.enumerated().map { number, channel in
        PITChannelInspection(
          number, channel, now: state.time.hostMonotonic, isReplaced: chip.isReplacedByHPET && number == 0)
      }
    }
    lines = LineReport.all(of: state, processors)
    groups = state.registerGroups(without: known.absent)
  }

  /// The register page of a local APIC alone (`struct kvm_lapic_state`).
  ///
  /// - Parameters:
  ///   - page: the page.
  ///   - mode: the mode that it is in; nil to tell it by the LDR.
  public init(page: LocalAPICState, mode: APICMode? = nil) {
    self.init(InspectableState(pages: [page]), mode: mode)
  }
}

extension MachineState {
  /// The registers of everything but the vCPUs.
  ///
  /// - Parameter absent: the parts that are not known.
  func registerGroups(without absent: Set<InspectableState.Part> = []) -> [RegisterGroup] {
    let registers = MachineState.registers.filter { register in
      MachineState.part(of: register.name).map { !absent.contains($0) } ?? true
    }
    var groups: [RegisterGroup] = []
    if !absent.contains(.configuration) || !absent.contains(.guestClock) {
      groups.append(RegisterGroup(name: "machine", registers: registers.reports(self)))
    }
    if let ioapic {
      let registers = IOAPICState.registers.filter { $0.name != "IOAPIC_BASE" || !absent.contains(.ioapicAddress) }
      groups.append(RegisterGroup(name: "IOAPIC", registers: registers.reports(ioapic)))
    }
    if let splitIOAPIC {
      groups.append(RegisterGroup(name: "IOAPIC", registers: SplitIOAPICState.registers.reports(splitIOAPIC)))
    }
    if let pics {
      let isPrinted = { (register: PICState.Register) in
        !absent.contains(.picDetails) || PICState.printed.contains(register.name)
      }
      let (master, slave) = (PICState.registers(from: 0), PICState.registers(from: 8))
      groups.append(RegisterGroup(name: "PIC 0", registers: master.filter(isPrinted).reports(pics.master)))
      groups.append(RegisterGroup(name: "PIC 1", registers: slave.filter(isPrinted).reports(pics.slave)))
    }
    if let pit {
      let channels = pit.channels.enumerated().flatMap { PITState.Channel.registers($0.offset).reports($0.element) }
      groups.append(RegisterGroup(name: "PIT", registers: channels + PITState.registers.reports(pit)))
    }
    if !absent.contains(.routes) { groups.append(RegisterGroup(name: "routes", registers: routeRegisters)) }
    groups.append(RegisterGroup(name: "events", registers: eventRegisters))
    groups.append(RegisterGroup(name: "devices", registers: deviceRegisters))
    return groups.filter { !$0.registers.isEmpty }
  }
}

/// The PICs: what they ask for.
public struct PICInspection: Codable, Hashable, Sendable {
  /// The line that the pair asks the processor to take, 0 to 15; absent for none.
  public var requestedLine: Int?
  /// Its vector.
  public var requestedVector: UInt8?
  /// The vCPUs that would take it: those with an unmasked ExtINT at LINT0, or without a local APIC.
  public var listeners: [Int]

  init(_ pair: MachineState.PICPair, _ state: MachineState) {
    let request = PICRequest(pair)
    requestedLine = request?.line
    requestedVector = request?.vector
    listeners = PICListeners(state).vcpus
  }
}

/// A channel of the interval timer.
public struct PITChannelInspection: Codable, Hashable, Sendable {
  /// 0 to 2.
  public var channel: Int
  /// How it counts, such as `rate generator`.
  public var mode: String
  /// What it counts down from, 1 to 65536; 0 where no count was set.
  public var count: UInt32
  /// The gate input.
  public var gate: Bool
  /// How long it takes to count down, in nanoseconds; absent where no count was set.
  public var period: Int64?
  /// The time until channel 0 fires next in nanoseconds; absent for other channels, where it does not fire any more, and
  /// where the state does not say when it was taken.
  public var remaining: Int64?

  init(_ number: Int, _ channel: PITState.Channel, now: UInt64, isReplaced: Bool) {
    self.channel = number
    let counting = PIT.Mode(rawValue: channel.mode)
    mode = counting?.words ?? "no mode"
    count = channel.count
    gate = channel.gate != 0
    guard channel.count > 0 else { return }
    let span = Int64(UInt64(channel.count) * 1_000_000_000 / UInt64(PIT.frequency))
    period = span
    // KVM runs a timer for channel 0 alone (`create_pit_timer` in arch/x86/kvm/i8254.c).
    guard number == 0, !isReplaced, now > 0, let now = Int64(exactly: now) else { return }
    let elapsed = now.subtractingReportingOverflow(channel.countLoadTime)
    guard !elapsed.overflow, elapsed.partialValue >= 0 else { return }
    switch counting {
    case .rateGenerator, .squareWave: remaining = span > 0 ? span - elapsed.partialValue % span : nil
    case .interruptOnTerminalCount, .hardwareOneShot, .softwareStrobe:
      remaining = elapsed.partialValue < span ? span - elapsed.partialValue : nil
    case .hardwareStrobe, nil: break
    }
  }
}
