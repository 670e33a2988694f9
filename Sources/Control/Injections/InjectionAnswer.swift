import APIC
import KVM
public import VMM

/// What became of a stimulus, as far as KVM says.
public enum InjectionAnswer: Hashable, Sendable {
  /// It reached so many destinations: pins, or local APICs.
  case delivered(UInt32)
  /// The line's interrupt was pending already (KVM_IRQ_LINE_STATUS).
  case coalesced
  /// The pin is masked, or no route leads to one (KVM_IRQ_LINE_STATUS).
  case ignored
  /// No local APIC took the message (KVM_SIGNAL_MSI).
  case blocked
  /// KVM took it, and does not say what becomes of it (KVM_NMI, KVM_IRQFD).
  case sent
  /// KVM refused it, in words.
  case refused(String)
}

extension Machine {
  /// Carries a stimulus out. It waits for no vCPU, so a vCPU's own thread may do it.
  ///
  /// - Parameters:
  ///   - stimulus: what; its vCPU, if any, is one of the machine's.
  ///   - answer: called once with what became of it: on this thread before the call returns, but for an NMI of a vCPU that
  ///     runs, which has to leave the guest first. Of a pulse it is the answer to the rise.
  public func inject(_ stimulus: Stimulus, answer: @escaping @Sendable (InjectionAnswer) -> Void) {
    do throws(KVMError) {
      switch stimulus {
      case .line(let gsi, let change): answer(try changeLine(gsi, change))
      case .msi(let message):
        if case .delivered(let count) = try vm.send(message) { answer(.delivered(count)) } else { answer(.blocked) }
      case .irqfd(let gsi):
        try interrupts.trigger(irqfd: gsi)
        answer(.sent)
      case .nmi(let index):
        guard vcpus.indices.contains(index) else { return answer(.refused("there is no vCPU \(index)")) }
        beforeNextEntry(index) { vcpu in
          do throws(KVMError) {
            try vcpu.nmi()
            answer(.sent)
          } catch {
            answer(.refused(error.description))
          }
        }
      }
    } catch {
      answer(.refused(error.description))
    }
  }

  private func changeLine(_ gsi: UInt32, _ change: Stimulus.LineChange) throws(KVMError) -> InjectionAnswer {
    let status = try interrupts.setLine(gsi, to: change != .low)
    if change == .pulse { try interrupts.setLine(gsi, to: false) }
    return switch status {
    case .delivered(let count): .delivered(count)
    case .coalesced: .coalesced
    case .ignored: .ignored
    }
  }
}
