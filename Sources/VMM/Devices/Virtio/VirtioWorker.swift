import Glibc
import KVM
import Support
import Synchronization
import SystemPackage

/// The thread of a virtio device: carries requests out when the driver notifies it, one after the other, and stands still
/// between two of them while the machine is paused.
final class VirtioWorker: Sendable {
  private let function: VirtioFunction
  private let gate: PauseGate
  /// Which of those that the gate lets through.
  let index: Int
  private let wakeup: Wakeup
  private let isEnding = Atomic<Bool>(false)
  private let thread = Mutex<pthread_t?>(nil)

  /// - Throws: `Errno` where the host has no descriptor left.
  init(_ function: VirtioFunction, gate: PauseGate, index: Int) throws(Errno) {
    self.function = function
    self.gate = gate
    self.index = index
    wakeup = try Wakeup()
  }

  /// Whether there is a thread, for whose arrival at the gate a pause waits.
  var isRunning: Bool { thread.withLock { $0 != nil } }

  /// Starts the thread, which looks at the queues first of all: what was notified before a snapshot was taken is seen so.
  ///
  /// - Throws: `Errno` of pthread_create(3).
  func start() throws(Errno) {
    function.notify()
    try thread.withLock { thread throws(Errno) in
      guard thread == nil else { return }
      thread = try HostThread.start { [self] in run() }
    }
  }

  /// Has the thread look at the gate.
  func wake() { wakeup.signal() }

  /// Ends the thread once it is done with its request, and waits for that. So does a pause meanwhile (`isRunning`).
  func end() {
    isEnding.store(true, ordering: .releasing)
    wakeup.signal()
    thread.withLock { thread in
      if let thread { pthread_join(thread, nil) }
      thread = nil
    }
    function.model.end()
  }

  private func run() {
    while !isEnding.load(ordering: .acquiring) {
      guard !gate.keepsOut(index) else {
        stand()
        continue
      }
      wakeup.wait(or: function.kick.rawDescriptor)
      // Taken before the queues are looked at, so that none is lost.
      guard !gate.keepsOut(index), (try? function.kick.read()) ?? 0 > 0 else { continue }
      while !isEnding.load(ordering: .acquiring), !gate.keepsOut(index) {
        guard function.serveNext() else { break }
      }
      // What the pause cut short goes on after it.
      if gate.keepsOut(index) { function.notify() }
    }
  }

  /// Waits at the gate until the pause is over.
  private func stand() {
    gate.arrive(index)
    while !gate.leave(index, isStopped: isEnding.load(ordering: .acquiring)) { wakeup.wait() }
  }
}
