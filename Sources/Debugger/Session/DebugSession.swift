import KVM
import Support
import VMM

/// One gdb that is connected, from its first byte to its last. On the debugger's thread alone.
final class DebugSession {
  /// What gdb knows of the guest.
  enum GuestState: Hashable {
    /// It stands, and gdb asks.
    case stopped
    /// It runs, and gdb waits.
    case running
    /// gdb has gone, or is to go.
    case over
  }

  let target: DebugTarget
  let words: StateWords
  var state = GuestState.stopped
  /// The vCPU that registers and memory are asked of.
  var selected = 0
  /// The threads that `c` and `s` let go on.
  var resumed = ThreadSelection.all
  var pending: [PendingStop] = []
  var features: StopReply.Features = []
  /// What the guest last stopped for.
  var lastReason = StopReply.Reason.trap

  private let connection: LocalConnection
  private let note: (String) -> Void
  /// A descriptor that can be read once the program ends.
  private let end: Int32
  private var parser = PacketParser()
  private var hasAcknowledgements = true
  private var lastPacket: [UInt8] = []
  private var rejections = 0
  private var noted: Set<String> = []
  /// Whether the guest stood before this gdb came.
  private let foundHeld: Bool
  private var hasSpoken = false

  /// How often gdb may ask for the same packet again.
  private static let patience = 16

  init(
    _ connection: LocalConnection, _ target: DebugTarget, words: @escaping StateWords, end: Int32,
    note: @escaping (String) -> Void
  ) {
    self.connection = connection
    self.target = target
    self.words = words
    self.end = end
    self.note = note
    foundHeld = target.isHeld
  }

  var rawDescriptor: Int32 { connection.rawDescriptor }

  /// Takes what has come from gdb, at most a few kilobytes at once, and answers it.
  func receive() {
    guard let bytes = connection.receive() else { return leave() }
    for byte in bytes {
      guard state != .over else { return }
      if let event = parser.take(byte) {
        hasSpoken = true
        answer(event)
      }
    }
  }

  /// Whether nobody was there but somebody who looked whether anybody listens, to a guest that waits for gdb: it waits on.
  var wasOnlyLook: Bool { foundHeld && !hasSpoken }

  /// Takes gdb's breakpoints away and lets the guest go on: gdb has gone.
  func leave() {
    state = .over
    if !wasOnlyLook { target.letGo(unless: isEnding) }
  }

  /// Tells gdb that the guest has ended, if it waits for that. A gdb that takes nothing is not waited for.
  func tell(end outcome: Outcome) {
    guard state == .running else { return }
    state = .over
    let packet = Packet.framed(Array(StopReply(outcome).body(features: features).utf8))
    _ = connection.send(packet, until: .now + .seconds(1))
  }

  /// Whether the program ends.
  func isEnding() -> Bool { (try? Readiness.wait(for: [end], until: .now))?.first ?? true }

  private func answer(_ event: PacketParser.Event) {
    switch event {
    case .packet(let body):
      acknowledge()
      answer(RemoteCommand(body))
    case .acknowledgement: rejections = 0
    case .rejection:
      rejections += 1
      if rejections > Self.patience { return leave() }
      if hasAcknowledgements { transmit(lastPacket) }
    case .interrupt: interrupt()
    // Without acknowledgements there is nothing to ask for it once more with.
    case .damaged: hasAcknowledgements ? transmit([UInt8(ascii: "-")]) : reply("E.the packet's checksum is wrong")
    case .tooLong:
      acknowledge()
      reply("E.the packet is longer than \(Packet.sizeLimit) bytes")
    }
  }

  private func acknowledge() { if hasAcknowledgements { transmit([UInt8(ascii: "+")]) } }

  /// Sends a packet with that text.
  func reply(_ text: String) { reply(bytes: Array(text.utf8)) }

  /// Sends a packet with those bytes.
  func reply(bytes: [UInt8]) {
    guard state != .over else { return }
    lastPacket = Packet.framed(bytes)
    transmit(lastPacket)
  }

  /// The last packet that is acknowledged is the one that asks for an end of that.
  func stopAcknowledging() {
    reply("OK")
    hasAcknowledgements = false
  }

  /// Says why something is not done: to gdb, which shows only some of it, and once on standard error.
  func refuse(_ reason: String) {
    if noted.insert(reason).inserted { note(reason) }
    reply("E.\(reason)")
  }

  private func transmit(_ bytes: [UInt8]) {
    if !connection.send(bytes, unless: end) { leave() }
  }
}

extension StopReply {
  /// How a guest's end is told: as a program's exit, or as the signal that is most like it.
  init(_ outcome: Outcome) {
    self =
      switch outcome {
      case .finished(let status, _): .exited(status: status)
      case .debugExit(let value, _): .exited(status: value)
      case .poweredOff: .exited(status: 0)
      // gdb's numbers of SIGSEGV, SIGABRT, SIGALRM and SIGTERM.
      case .shutdown: .terminated(signal: 11)
      case .unrunnable, .runFailed: .terminated(signal: 6)
      case .timeLimit: .terminated(signal: 14)
      case .halted, .reset, .systemEvent, .stopped: .terminated(signal: 15)
      }
  }
}

/// A command to this stub rather than to gdb: what follows `monitor`.
public enum MonitorCommand: Hashable, Sendable {
  /// Part of a machine's interrupt state, shown in words.
  public enum Topic: String, CaseIterable, Sendable {
    /// The local APIC of the vCPU.
    case lapic
    /// The IOAPIC.
    case ioapic
    /// The pair of PICs.
    case pic
    /// What the vCPU takes next, and what holds the rest back.
    case next

    var summary: String {
      switch self {
      case .lapic: "the local APIC of the selected thread's vCPU"
      case .ioapic: "the IOAPIC, and where each pin leads"
      case .pic: "the PICs"
      case .next: "what the selected thread's vCPU would take next, and what holds the rest back"
      }
    }
  }

  case help
  case show(Topic)
  /// Whether interrupts may come into single steps; nil to ask.
  case stepInterrupts(Bool?)
  /// What this host's KVM does for debuggers.
  case support
  case unknown

  /// The command of a text.
  public init(_ text: String) {
    let words = text.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
    switch (words.first, words.count) {
    case (nil, _), ("help", 1): self = .help
    case ("support", 1): self = .support
    case ("step-interrupts", 1): self = .stepInterrupts(nil)
    case ("step-interrupts", 2) where words[1] == "on": self = .stepInterrupts(true)
    case ("step-interrupts", 2) where words[1] == "off": self = .stepInterrupts(false)
    case (let word?, 1): self = Topic(rawValue: word).map { .show($0) } ?? .unknown
    default: self = .unknown
    }
  }

  /// What there is, a line each.
  public static let helpText: String = {
    let rows =
      Topic.allCases.map { ($0.rawValue, $0.summary) } + [
        ("step-interrupts on|off", "whether interrupts may come into single steps"),
        ("support", "what this host's KVM does for debuggers"), ("help", "this"),
      ]
    return rows.map { name, summary in
      "monitor " + name + String(repeating: " ", count: 24 - name.count) + summary + "\n"
    }.joined()
  }()
}

/// Says part of a machine's state in words, for the vCPU with that index, while the machine stands.
public typealias StateWords = @Sendable (_ topic: MonitorCommand.Topic, _ vcpu: Int) -> String
