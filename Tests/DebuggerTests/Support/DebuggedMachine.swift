import Debugger
import KVM
import Support
import Synchronization
import TestImages
import VMM

/// A machine that waits for a debugger, and runs on a thread of its own.
final class DebuggedMachine: Sendable {
  let machine: Machine
  let address: LocalListener.Address
  let support: DebugSupport
  private let outcome = Mutex<Outcome?>(nil)
  private let notes = Mutex<[String]>([])
  private let ended: Wakeup

  /// A machine with code at 1 MiB.
  init(
    _ code: Code, limit: Duration = .seconds(60), _ configure: (inout MachineConfiguration) -> Void = { _ in }
  ) throws {
    let kvm = try KVM.open()
    var configuration = MachineConfiguration()
    configure(&configuration)
    let image = code.mode == .real ? code.bytes : ELFImage(code: code.bytes).bytes
    if code.mode == .real { configuration.loadAddress = 0x1_0000 }
    machine = try Machine(configuration, image: GuestImage(name: "test", bytes: image), on: kvm, console: Console())
    support = try DebugSupport(of: kvm)
    ended = try Wakeup()
    let listener = try LocalListener(.port(0))
    address = listener.address
    let server = try DebugServer(
      machine,
      DebugServer.Configuration(
        listener: listener, support: support, words: { topic, vcpu in "\(topic) of \(vcpu)\u{1b}[31m" },
        note: { [self] note in notes.withLock { $0.append(note) } }))
    try HostThread.startDetached { [self] in
      let outcome = (try? machine.run(limit: limit)) ?? .stopped
      server.finish(outcome)
      self.outcome.withLock { $0 = outcome }
      ended.signal()
    }
  }

  /// How the guest ended; waits for it.
  func end() -> String {
    ended.wait(until: .now + .seconds(60))
    return outcome.withLock { $0.map { "\($0)" } ?? "it has not ended within a minute" }
  }

  /// What was noted so far.
  var notesSoFar: [String] { notes.withLock { $0 } }

  /// Waits until something was noted, at most for a minute.
  func waitForNote(_ text: String) -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while !notesSoFar.contains(where: { $0.contains(text) }) {
      guard ContinuousClock.now < deadline else { return false }
      _ = try? Readiness.wait(for: [], until: .now + .milliseconds(5))
    }
    return true
  }

  /// Ends it.
  func stop() { machine.end(.stopped) }
}

extension DebuggedMachine {
  /// Where code other than real mode's begins.
  static let start: UInt64 = 0x10_0000
}

extension Code {
  /// `nop` eight times, then the end.
  static let straight = Code(.long).then([UInt8](repeating: 0x90, count: 8)).debugExit(0)
}
