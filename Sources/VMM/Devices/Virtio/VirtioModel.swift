/// What a virtio device does: everything that its transport does not.
protocol VirtioModel: Sendable {
  /// Its number (virtio 1.2, chapter 5).
  var id: UInt16 { get }
  /// The PCI class of such devices: class, subclass, interface, revision.
  var classCode: UInt32 { get }
  /// Its configuration, which does not change and of which writes are dropped.
  var configuration: [UInt8] { get }

  /// Carries a request out, on the device's thread, while its registers wait.
  ///
  /// - Parameters:
  ///   - chain: the request, whose buffers are guest memory.
  ///   - memory: the guest's.
  /// - Returns: how many bytes were written to it.
  /// - Throws: `VirtioRingError.request` for what is no request at all: the device then wants a reset.
  func carryOut(_ chain: VirtioChain, _ memory: GuestMemory) throws(VirtioRingError) -> UInt32

  /// The machine has ended: what is held of the host is let go of.
  func end()
}

extension VirtioModel {
  func end() {}
}

/// What a virtio device offers its driver, known before there is a machine.
struct VirtioOffer: Hashable, Sendable {
  /// What it can do beyond its transport (virtio 1.2, the device's own chapter).
  var features: UInt64
  /// The largest size of each of its queues: powers of two.
  var queueLimits: [UInt16]

  /// The registers of such a device after reset.
  var registers: VirtioRegisters { VirtioRegisters(features: features, queueLimits: queueLimits) }
}
