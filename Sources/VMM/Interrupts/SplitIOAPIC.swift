public import APIC
import KVM
import Synchronization
import SystemPackage

/// The IOAPIC of a split irqchip (KVM API, KVM_CAP_SPLIT_IRQCHIP): the pins' state is here, the messages go to KVM, and
/// KVM says when a level-triggered interrupt has been served.
final class SplitIOAPIC: BusDevice {
  /// As much as the chip in the kernel has (`IOAPIC_MEM_LENGTH`).
  static let addresses = IOAPIC.defaultAddress..<IOAPIC.defaultAddress + 0x100

  private let vm: VirtualMachine
  private let routing: RoutingTable
  private let stop: StopSwitch
  private let model = Mutex(IOAPICModel())

  init(vm: VirtualMachine, routing: RoutingTable, stop: StopSwitch) {
    self.vm = vm
    self.routing = routing
    self.stop = stop
  }

  func read(_ access: BusAccess) -> UInt64 { UInt64(model.withLock { $0.read(at: access.offset) }) }

  func write(_ value: UInt64, _ access: BusAccess) {
    do {
      try apply { $0.write(UInt32(truncatingIfNeeded: value), at: access.offset) }
    } catch {
      stop.stop(.runFailed(error, vcpu: access.vcpu))
    }
  }

  /// Sets the level of a pin, and answers as KVM_IRQ_LINE_STATUS does for the chip in the kernel.
  func setLine(pin: Int, to level: Bool) throws(KVMError) -> LineStatus {
    let status = try apply { $0.setLine(pin: pin, to: level) }
    // A line that falls counts as taken by its pin (`ioapic_set_irq`).
    return level ? status : .delivered(1)
  }

  /// Takes what a vCPU says at the end of an interrupt's service (KVM_EXIT_IOAPIC_EOI).
  ///
  /// KVM exits even where the guest has suppressed the broadcast of EOIs, unless the machine's owner asked for it otherwise
  /// (KVM_CAP_X2APIC_API). The chip must not hear of it then: the guest writes to its EOI register (SDM volume 3A, section
  /// 12.8.5; `kvm_ioapic_update_eoi_one` looks at the same bit).
  ///
  /// - Parameters:
  ///   - vector: the interrupt's.
  ///   - vcpu: the vCPU, which is out of the guest.
  func endOfInterrupt(_ vector: Vector, on vcpu: VCPU) throws(KVMError) {
    guard model.withLock({ $0.awaitsEOI(vector) }), try !vcpu.localAPIC().spurious.suppressesEOIBroadcast else {
      return
    }
    try apply { $0.endOfInterrupt(vector) }
  }

  /// What it holds.
  var state: SplitIOAPICState { model.withLock { $0.state } }

  /// Gives the chip of a machine that is made again what it held, once the routes are there.
  func restore(_ state: SplitIOAPICState) throws(KVMError) {
    let known = (0..<UInt32(IOAPIC.pinCount)).map { gsi in
      routing.routes(of: gsi).lazy.compactMap { if case .msi(_, let message) = $0 { message } else { nil } }.first
    }
    try apply { model in
      model = IOAPICModel(state, routes: known)
      return model.resume()
    }
  }

  /// Runs a change and does what it asks for. The lock is held throughout, so that messages leave in the order of the
  /// changes, and no EOI comes between a message and its route.
  ///
  /// - Returns: what became of the last message.
  @discardableResult
  private func apply(_ change: (inout IOAPICModel) -> IOAPICModel.Effect) throws(KVMError) -> LineStatus {
    try model.withLock { model throws(KVMError) in
      let effect = change(&model)
      try tell(effect.reroutedPins, model)
      var status = effect.isCoalesced ? LineStatus.coalesced : .ignored
      for request in effect.requests {
        status = try vm.send(request.message)
        if status == .coalesced { try tell(model.wasRefused(request.pin).reroutedPins, model) }
      }
      if effect.isDelayed { resendLater() }
      return status
    }
  }

  /// Has lines that interrupt again and again do so a moment later, as the chip in the kernel does.
  private func resendLater() {
    let isStarted = BackgroundThread.start(name: "ioapic") { [self] in
      BackgroundThread.sleep(nanoseconds: 10_000_000)
      guard !stop.isStopped else { return }
      do throws(KVMError) {
        try apply { $0.resend() }
      } catch {
        stop.stop(.runFailed(error, vcpu: 0))
      }
    }
    if !isStarted { stop.stop(.runFailed(KVMError(call: .signalMSI, errno: .resourceTemporarilyUnavailable), vcpu: 0)) }
  }

  private func tell(_ pins: [Int], _ model: IOAPICModel) throws(KVMError) {
    guard !pins.isEmpty else { return }
    var changes: [UInt32: [GSIRoute]] = [:]
    for pin in pins {
      let gsi = UInt32(pin)
      changes[gsi] = model.routes[pin].map { [.msi(gsi: gsi, $0)] } ?? []
    }
    try routing.set(changes)
  }
}

/// What the IOAPIC of a split irqchip holds.
public struct SplitIOAPICState: Hashable, Sendable {
  /// The ID register, whose bits 27:24 are the id.
  public var id: UInt32 = 0
  /// The register that the window shows (IOREGSEL).
  public var selected: UInt8 = 0
  /// The redirection table, one entry for each of the 24 pins.
  public var entries = [RedirectionEntry](repeating: .masked, count: IOAPIC.pinCount)
  /// The pins' levels, pin 0 in bit 0.
  public var levels: UInt32 = 0

  /// A chip after reset.
  public init() {}
}

extension IOAPICModel {
  /// What KVM is to know of a pin.
  ///
  /// A pin in service keeps a route to whom it interrupted until the EOI, whatever becomes of its entry: without it there
  /// is no exit at the EOI, and remote IRR would stay for good. An irqfd on the pin's GSI sends what its route says,
  /// though; so a route that is kept for the EOI alone is one that delivers nothing.
  func route(of pin: Int) -> MSIMessage? {
    let entry = entries[pin]
    guard awaitsEOI(pin) else {
      guard entry.isMasked else { return entry.message }
      // It does no harm. To take it away costs as much as to set one, at every interrupt that is masked in service.
      guard entry.triggerMode == .level, let route = routes[pin], route.isForEOIOnly else { return nil }
      return route
    }
    var route = entry.message
    // Old kernels look for the EOI only where the route leads, not where the interrupt is.
    if let sent = inService[pin], sent.vector == entry.vector { route.destination = sent.destination }
    if entry.isMasked || route != entry.message { route.deliveryMode = MSIMessage.modeForEOIOnly }
    return route
  }
}

extension MSIMessage {
  /// A local APIC takes an ExtINT from its own pin only, and drops one that comes as a message (`__apic_accept_irq`).
  fileprivate static let modeForEOIOnly = DeliveryMode.external

  /// Whether the message delivers nothing, and as a route only tells KVM of a vector.
  fileprivate var isForEOIOnly: Bool { deliveryMode == Self.modeForEOIOnly }
}
