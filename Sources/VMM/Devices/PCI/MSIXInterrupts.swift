import APIC
import KVM
import Synchronization

/// Sends what an MSI-X table says: each vector has a GSI of its own, whose route is the vector's message, and an eventfd that
/// KVM turns into it (KVM_IRQFD), so that a completion costs one write.
///
/// A route is set, and an eventfd assigned, when its vector is first unmasked. A driver that moves a vector masks it, writes
/// the new message and unmasks it: then the route is replaced before anything is sent.
final class MSIXInterrupts: Sendable {
  private struct State {
    var table: MSIXTable
    /// What each vector's GSI is routed to.
    var routed: [MSIMessage?]
    var events: [EventDescriptor?]
  }

  private let interrupts: InterruptController
  private let firstGSI: UInt32
  private let state: Mutex<State>
  /// How many vectors there are.
  let count: Int

  /// - Parameters:
  ///   - count: how many vectors, 1 to 64.
  ///   - firstGSI: the first of as many GSIs, which are nobody else's.
  ///   - interrupts: where they enter the machine.
  init(count: Int, firstGSI: UInt32, interrupts: InterruptController) {
    self.count = count
    self.interrupts = interrupts
    self.firstGSI = firstGSI
    state = Mutex(
      State(
        table: MSIXTable(count: count), routed: [MSIMessage?](repeating: nil, count: count),
        events: [EventDescriptor?](repeating: nil, count: count)))
  }

  /// Whether the function uses MSI-X, and no line.
  var isEnabled: Bool { state.withLock { $0.table.isEnabled } }

  /// The table's state.
  var table: MSIXTable { state.withLock { $0.table } }

  /// Raises a vector; one that there is not is nobody's.
  func raise(_ vector: Int) {
    state.withLock { if $0.table.raise(vector) { send(vector, &$0) } }
  }

  /// Forgets what is pending.
  func clearPending() { state.withLock { $0.table.clearPending() } }

  /// Sets the message control's upper two bits.
  func setControl(isEnabled: Bool, isMasked: Bool) {
    change { $0.setControl(isEnabled: isEnabled, isMasked: isMasked) }
  }

  func read(at offset: UInt64, width: Int) -> UInt64 { state.withLock { $0.table.read(at: offset, width: width) } }

  func write(_ value: UInt64, at offset: UInt64, width: Int) {
    change { $0.write(value, at: offset, width: width) }
  }

  /// Gives a machine that is made again its table. What was sent is in its local APICs.
  func restore(_ table: MSIXTable) {
    change {
      $0 = table
      return []
    }
  }

  private func change(_ body: (inout MSIXTable) -> [Int]) {
    state.withLock { state in
      let released = body(&state.table)
      for vector in 0..<count where state.table.sends(vector) { route(vector, &state) }
      for vector in released { send(vector, &state) }
    }
  }

  /// Routes a vector's GSI to its message, where that has changed. What KVM refuses, such as a destination of a kind that no
  /// local APIC has, is routed nowhere.
  private func route(_ vector: Int, _ state: inout State) {
    let message = state.table.entries[vector].message
    let gsi = firstGSI + UInt32(vector)
    if message != state.routed[vector] {
      let isTaken = (try? interrupts.routeDevice(gsi, to: message)) != nil
      if !isTaken { try? interrupts.routeDevice(gsi, to: nil) }
      state.routed[vector] = isTaken ? message : nil
    }
    if state.routed[vector] != nil, state.events[vector] == nil {
      state.events[vector] = try? interrupts.assignDeviceEvent(gsi)
    }
  }

  private func send(_ vector: Int, _ state: inout State) {
    guard let message = state.routed[vector] else { return }
    if let event = state.events[vector] {
      // KVM takes what is written at once, so the counter has room.
      try? event.write()
    } else {
      // The host has no descriptor left: the same by a call.
      _ = try? interrupts.signal(message)
    }
  }
}
