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
