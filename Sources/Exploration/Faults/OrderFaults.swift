import APIC
import ReferenceModel

extension Fault {
  /// Faults that show only where several actors do something at the same time.
  static let orders: [Fault] = [
    Fault(
      name: "irr-update-lost", summary: "of two vectors that are set in one word of an IRR at the same time one is lost"
    ) {
      previous, piece, machine, _ in
      guard let (vcpu, first) = previous.call.nextHand, let (other, second) = piece.call.nextHand, vcpu == other,
        first != second, first.rawValue / 32 == second.rawValue / 32,
        !previous.before.localAPICs[vcpu].page.interruptRequest.contains(first)
      else { return }
      machine.localAPICs[vcpu].page.interruptRequest.remove(first)
    },
    Fault(
      name: "irqfd-lost-at-new-routes", summary: "an irqfd that is signalled while routes are replaced does nothing"
    ) {
      previous, piece, _, call in
      if previous.call.isRoutingNext, piece.call.isIRQFDNext { call.abandon() }
    },
    Fault(
      name: "edge-counted-by-both",
      summary: "two that raise one line at the same time are both told that it was delivered"
    ) {
      previous, piece, _, call in
      if let pin = previous.call.nextPin, pin == piece.call.nextPin, call.isEnded, call.answer == .coalesced {
        call.setAnswer(.delivered(1))
      }
    },
    Fault(
      name: "edge-counted-by-none", summary: "two that raise one line at the same time are both told that it was merged"
    ) {
      previous, piece, _, call in
      if let pin = previous.after.nextPin, pin == piece.call.nextPin, call.isEnded, call.answer == .ignored {
        call.setAnswer(.coalesced)
      }
    },
    Fault(
      name: "broadcast-cut-short", summary: "a message to several that meets another on its way reaches nobody more"
    ) {
      previous, piece, machine, call in
      guard previous.call.nextHand != nil, let (vcpu, _) = piece.call.nextHand, piece.call.hasReachedSomebody else {
        return
      }
      machine.localAPICs[vcpu] = piece.before.localAPICs[vcpu]
      while call.nextHand != nil { call.skip() }
    },
    Fault(name: "sent-while-taken", summary: "a message that reaches a vCPU while it takes an interrupt is lost") {
      previous, piece, machine, _ in
      guard let vcpu = previous.call.takingVCPU, previous.after.vector != nil,
        let (other, vector) = piece.call.nextHand, vcpu == other,
        !piece.before.localAPICs[vcpu].page.interruptRequest.contains(vector)
      else { return }
      machine.localAPICs[vcpu].page.interruptRequest.remove(vector)
    },
    Fault(name: "nmi-merged", summary: "two NMIs that come at the same time are one") {
      previous, piece, machine, _ in
      if let vcpu = piece.call.nextNMI, previous.call.nextNMI == vcpu {
        machine.localAPICs[vcpu].processor.pendingNMIs = piece.before.localAPICs[vcpu].processor.pendingNMIs
      }
    },
  ]
}
