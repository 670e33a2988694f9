public import Support
import Synchronization
public import SystemPackage
public import VMM

/// Serves gdb on a thread of its own, one at a time, from before a machine's first instruction to its end.
public final class DebugServer: Sendable {
  /// What a server is made of beside its machine.
  public struct Configuration: Sendable {
    /// Where gdb connects to.
    public var listener: LocalListener
    /// What this host's KVM does for debuggers.
    public var support: DebugSupport
    /// What `monitor` shows.
    public var words: StateWords
    /// Tells whoever runs the machine of what gdb cannot.
    public var note: @Sendable (String) -> Void

    /// A configuration.
    public init(
      listener: LocalListener, support: DebugSupport, words: @escaping StateWords,
      note: @escaping @Sendable (String) -> Void
    ) {
      self.listener = listener
      self.support = support
      self.words = words
      self.note = note
    }
  }

  private let machine: Machine
  private let configuration: Configuration
  private let outcome = Mutex<Outcome?>(nil)
  /// Signalled to end the thread.
  private let end: Wakeup
  /// Signalled when the thread has ended.
  private let ended: Wakeup

  /// Keeps a machine that has not been started before its first instruction, until gdb lets it go on.
  ///
  /// - Throws: `Errno`: `EMFILE` where there is no descriptor left, `EAGAIN` where there is no thread.
  public init(_ machine: Machine, _ configuration: Configuration) throws(Errno) {
    self.machine = machine
    self.configuration = configuration
    end = try Wakeup()
    ended = try Wakeup()
    if configuration.support.blocksInterrupts { machine.debug.keepInterruptsBack() }
    machine.debug.hold()
    let server = DebugServerLoop(machine, configuration, end: end.rawDescriptor)
    try HostThread.startDetached { [self] in
      server.run { outcome.withLock { $0 } }
      ended.signal()
    }
  }

  /// Tells gdb how the guest ended, closes the connection, and waits for the thread to end. Call it once.
  public func finish(_ outcome: Outcome) {
    self.outcome.withLock { $0 = outcome }
    end.signal()
    ended.wait()
    configuration.listener.close()
  }
}

/// What the debugger's thread does.
private struct DebugServerLoop: Sendable {
  let machine: Machine
  let configuration: DebugServer.Configuration
  let end: Int32

  init(_ machine: Machine, _ configuration: DebugServer.Configuration, end: Int32) {
    self.machine = machine
    self.configuration = configuration
    self.end = end
  }

  /// Serves until the end, of which `outcome` then says how the guest came to it.
  func run(_ outcome: () -> Outcome?) {
    let target = DebugTarget(machine, configuration.support)
    var session: DebugSession?
    while true {
      let descriptors = [
        end, configuration.listener.rawDescriptor, machine.debug.rawDescriptor, session?.rawDescriptor,
      ]
      guard let ready = try? Readiness.wait(for: descriptors) else { return }
      if ready[0] {
        if let outcome = outcome() { session?.tell(end: outcome) }
        return
      }
      if ready[2] { noticeStop(session) }
      if ready[3] { session?.receive() }
      if let over = session, over.state == .over {
        session = nil
        if machine.stop.reason == nil, !over.wasOnlyLook { configuration.note("gdb has gone, and the guest goes on") }
      }
      // Last, so that who comes right after another has gone is not refused.
      if ready[1] { accept(target, &session) }
    }
  }

  private func noticeStop(_ session: DebugSession?) {
    guard let session, session.state == .running else {
      // The signal of a hold that was waited for.
      _ = machine.debug.takeStops()
      return
    }
    session.guestStopped()
  }

  private func accept(_ target: DebugTarget, _ session: inout DebugSession?) {
    let connection: LocalConnection
    do throws(Errno) {
      guard let waiting = try configuration.listener.accept() else { return }
      connection = waiting
    } catch {
      // There is no descriptor left. Whoever waits is taken once there is one.
      _ = try? Readiness.wait(for: [end], until: .now + .milliseconds(100))
      return
    }
    // Its end closes the connection: one debugger at a time.
    guard session == nil else { return configuration.note("a second debugger was refused: one is connected") }
    let new = DebugSession(
      connection, target, words: configuration.words, end: end, note: configuration.note)
    guard target.hold(unless: new.isEnding) else { return }
    _ = machine.debug.takeStops()
    session = new
  }
}
