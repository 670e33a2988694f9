import APIC

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
