import Synchronization

/// What the device's thread does.
extension VirtioFunction {
  /// Carries the next request out, if there is one.
  ///
  /// - Returns: whether there was.
  func serveNext() -> Bool {
    state.withLock { state in
      guard state.registers.isRunning, endpoint.withLock(\.isBusMaster) else { return false }
      let usesEventIndex = state.registers.usesEventIndex
      do throws(VirtioRingError) {
        for index in state.registers.queues.indices where state.registers.queues[index].isEnabled {
          guard let chain = try state.registers.queues[index].next(memory, usesEventIndex: usesEventIndex) else {
            continue
          }
          let written = try model.carryOut(chain, memory)
          let interrupts = try state.registers.queues[index].complete(
            chain, written: written, memory, usesEventIndex: usesEventIndex)
          if interrupts { raise(state.registers.queues[index].vector, Cause.queue, &state) }
          return true
        }
      } catch {
        note(error, &state)
        demandReset(&state)
      }
      return false
    }
  }

  /// The driver has broken a queue: nothing more is done until it resets the device (section 2.1.2).
  private func demandReset(_ state: inout State) {
    state.registers.status |= VirtioRegisters.Status.needsReset
    raise(state.registers.configurationVector, Cause.configuration, &state)
    update(&state)
  }

  private func raise(_ vector: UInt16, _ cause: UInt8, _ state: inout State) {
    if vectors.isEnabled {
      vectors.raise(Int(vector))
    } else {
      state.interruptStatus |= cause
      updateLine(&state)
    }
  }

  func note(_ error: VirtioRingError, _ state: inout State) {
    state.breaks = (count: (state.breaks?.count ?? 0) + 1, first: state.breaks?.first ?? error)
  }

  /// What the driver has broken, for a person; nil where it has not.
  var complaint: String? {
    state.withLock(\.breaks).map { count, first in
      let times = count == 1 ? "" : " \(count) times, first"
      return "the driver of \(stateName) broke its queue\(times): \(first.rawValue)"
    }
  }
}
