/// What gdb asks for: a packet, understood (Debugging with GDB, "Packets", "General Query Packets").
public enum RemoteCommand: Hashable, Sendable {
  /// `?`
  case stopReason
  /// `g`
  case readRegisters
  /// `G`
  case writeRegisters([UInt8])
  /// `p`
  case readRegister(Int)
  /// `P`
  case writeRegister(Int, [UInt8])
  /// `m`
  case readMemory(address: UInt64, count: UInt64)
  /// `M` and `X`
  case writeMemory(address: UInt64, [UInt8])
  /// `Z`
  case insertBreakpoint(BreakpointKind, address: UInt64, size: UInt64)
  /// `z`
  case removeBreakpoint(BreakpointKind, address: UInt64, size: UInt64)
  /// `Hg`
  case selectForAccess(ThreadSelection)
  /// `Hc`
  case selectForResume(ThreadSelection)
  /// `T`
  case isThreadAlive(ThreadSelection)
  /// `vCont`
  case resume([ResumeAction])
  /// `c`, `C`, `s` and `S`
  case resumeSelected(isStep: Bool, address: UInt64?)
  /// `vCont?`
  case resumeKinds
  /// `k`, which gets no answer
  case kill
  /// `vKill`
  case killProcess
  /// `D`
  case detach
  /// `qSupported`, with what gdb can do
  case features([String])
  /// `QStartNoAckMode`
  case startNoAckMode
  /// `qfThreadInfo`
  case firstThreads
  /// `qsThreadInfo`
  case moreThreads
  /// `qC`
  case currentThread
  /// `qThreadExtraInfo`
  case threadDescription(ThreadSelection)
  /// `qXfer:features:read`
  case targetDescription(annex: String, offset: UInt64, count: UInt64)
  /// `qRcmd`, which is gdb's `monitor`
  case monitor(String)
  /// `qAttached`
  case isAttached
  /// A packet that this stub does not know; the answer is empty.
  case unknown
  /// One that it knows, with fields that mean nothing.
  case malformed
}

/// What `Z` and `z` are about, by the number that they have there.
public enum BreakpointKind: UInt64, Hashable, Sendable {
  /// An instruction in memory.
  case software = 0
  /// A debug register, for execution.
  case hardware = 1
  /// A debug register, for writes.
  case writeWatch = 2
  /// For reads alone, which no processor of this architecture has (SDM volume 3B, section 18.2.4).
  case readWatch = 3
  /// A debug register, for reads and writes.
  case accessWatch = 4
}

/// What `vCont` says of some threads.
public struct ResumeAction: Hashable, Sendable {
  /// What they do.
  public enum Kind: Hashable, Sendable {
    /// Go on.
    case resume
    /// Go on for one instruction.
    case step
    /// Wait.
    case stop
  }

  /// What they do.
  public var kind: Kind
  /// Which; those that an earlier action names have theirs.
  public var threads: ThreadSelection

  /// An action.
  public init(_ kind: Kind, _ threads: ThreadSelection = .all) {
    self.kind = kind
    self.threads = threads
  }
}

extension RemoteCommand {
  /// The command of a packet's body.
  public init(_ body: [UInt8]) {
    var reader = PacketReader(body)
    guard let letter = reader.byte() else {
      self = .unknown
      return
    }
    switch letter {
    case UInt8(ascii: "q"), UInt8(ascii: "Q"): self = Self.query(body)
    case UInt8(ascii: "v"): self = Self.verbose(body)
    default: self = Self.plain(letter, &reader) ?? .malformed
    }
  }

  /// The packets of one letter; nil where what follows it means nothing.
  private static func plain(_ letter: UInt8, _ reader: inout PacketReader) -> RemoteCommand? {
    switch letter {
    case UInt8(ascii: "?"): return .stopReason
    case UInt8(ascii: "g"): return .readRegisters
    case UInt8(ascii: "G"): return reader.bytes().map { .writeRegisters($0) }
    case UInt8(ascii: "p"): return register(&reader).map { .readRegister($0) }
    case UInt8(ascii: "P"):
      guard let number = register(&reader), reader.take("="), let bytes = reader.bytes() else { return nil }
      return .writeRegister(number, bytes)
    case UInt8(ascii: "m"):
      guard let (address, count) = range(&reader), reader.isAtEnd else { return nil }
      return .readMemory(address: address, count: count)
    case UInt8(ascii: "M"), UInt8(ascii: "X"):
      guard let (address, count) = range(&reader), reader.take(":"),
        let bytes = letter == UInt8(ascii: "M") ? reader.bytes() : reader.remainder(), UInt64(bytes.count) == count
      else { return nil }
      return .writeMemory(address: address, bytes)
    case UInt8(ascii: "Z"), UInt8(ascii: "z"):
      guard let kind = reader.number().flatMap(BreakpointKind.init), reader.take(","),
        let (address, size) = range(&reader)
      else { return nil }
      // What may follow are conditions and commands, which `qSupported` does not promise.
      guard reader.isAtEnd else { return nil }
      return letter == UInt8(ascii: "Z")
        ? .insertBreakpoint(kind, address: address, size: size) : .removeBreakpoint(kind, address: address, size: size)
    case UInt8(ascii: "H"):
      let operation = reader.byte()
      guard let thread = reader.thread(), reader.isAtEnd else { return nil }
      return operation == UInt8(ascii: "g")
        ? .selectForAccess(thread) : operation == UInt8(ascii: "c") ? .selectForResume(thread) : nil
    case UInt8(ascii: "T"): return reader.thread().map { .isThreadAlive($0) }
    case UInt8(ascii: "c"), UInt8(ascii: "s"):
      if reader.isAtEnd { return .resumeSelected(isStep: letter == UInt8(ascii: "s"), address: nil) }
      return reader.number().map { .resumeSelected(isStep: letter == UInt8(ascii: "s"), address: $0) }
    // A signal is for a program with an operating system; the guest has interrupts.
    case UInt8(ascii: "C"), UInt8(ascii: "S"):
      guard reader.number() != nil else { return nil }
      let address = reader.take(";") ? reader.number() : nil
      return .resumeSelected(isStep: letter == UInt8(ascii: "S"), address: address)
    case UInt8(ascii: "k"): return .kill
    case UInt8(ascii: "D"): return .detach
    default: return .unknown
    }
  }

  private static func query(_ body: [UInt8]) -> RemoteCommand {
    var reader = PacketReader(body)
    if reader.take("qSupported") {
      let features = reader.take(":") ? reader.text().split(separator: ";").map { String($0) } : []
      return .features(features)
    }
    if reader.take("qXfer:features:read:") {
      let annex = String(decoding: reader.field(upTo: UInt8(ascii: ":")), as: UTF8.self)
      guard reader.take(":"), let (offset, count) = range(&reader), reader.isAtEnd else { return .malformed }
      return .targetDescription(annex: annex, offset: offset, count: count)
    }
    if reader.take("qRcmd,") {
      return reader.bytes().map { .monitor(String(decoding: $0, as: UTF8.self)) } ?? .malformed
    }
    if reader.take("qThreadExtraInfo,") { return reader.thread().map { .threadDescription($0) } ?? .malformed }
    if reader.take("qAttached") { return .isAttached }
    if reader.take("QStartNoAckMode") { return reader.isAtEnd ? .startNoAckMode : .unknown }
    if reader.take("qfThreadInfo") { return .firstThreads }
    if reader.take("qsThreadInfo") { return .moreThreads }
    return reader.take("qC") && reader.isAtEnd ? .currentThread : .unknown
  }

  private static func verbose(_ body: [UInt8]) -> RemoteCommand {
    var reader = PacketReader(body)
    if reader.take("vCont?") { return .resumeKinds }
    if reader.take("vCont") {
      var actions: [ResumeAction] = []
      while reader.take(";") {
        guard let action = action(reader.field(upTo: UInt8(ascii: ";"))) else { return .malformed }
        actions.append(action)
      }
      return actions.isEmpty || !reader.isAtEnd ? .malformed : .resume(actions)
    }
    return reader.take("vKill") ? .killProcess : .unknown
  }

  /// `c`, `C05`, `s`, `S05` or `t`, then `:` and a thread where it is not for all.
  private static func action(_ field: ArraySlice<UInt8>) -> ResumeAction? {
    var reader = PacketReader(field)
    let kind: ResumeAction.Kind
    switch reader.byte() {
    case UInt8(ascii: "c"): kind = .resume
    case UInt8(ascii: "s"): kind = .step
    case UInt8(ascii: "t"): kind = .stop
    case UInt8(ascii: "C"):
      guard reader.number() != nil else { return nil }
      kind = .resume
    case UInt8(ascii: "S"):
      guard reader.number() != nil else { return nil }
      kind = .step
    default: return nil
    }
    if reader.isAtEnd { return ResumeAction(kind) }
    guard reader.take(":"), let threads = reader.thread(), reader.isAtEnd else { return nil }
    return ResumeAction(kind, threads)
  }

  private static func register(_ reader: inout PacketReader) -> Int? {
    reader.number().flatMap { Int(exactly: $0) }
  }

  /// `ADDRESS,COUNT`.
  private static func range(_ reader: inout PacketReader) -> (address: UInt64, count: UInt64)? {
    guard let address = reader.number(), reader.take(","), let count = reader.number() else { return nil }
    return (address, count)
  }
}
