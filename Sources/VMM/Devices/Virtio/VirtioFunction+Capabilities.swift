import Support

extension VirtioFunction {
  /// The types of structures (virtio 1.2, section 4.1.4). That which gives access to them through configuration space, for
  /// firmware that maps nothing, is left out.
  private enum Kind {
    static let common: UInt8 = 1
    static let notifications: UInt8 = 2
    static let interruptStatus: UInt8 = 3
    static let device: UInt8 = 4
  }

  private static let msiX: UInt8 = 0x11
  private static let vendorSpecific: UInt8 = 0x09
  private static let pageSize: UInt32 = 0x1000

  /// The capabilities, from 0x40 on: MSI-X first, then the structures, all in base address 0.
  static func capabilities(_ model: any VirtioModel, queues: Int) -> [UInt8] {
    let base = PCIEndpoint.firstCapability
    // Message control, bits 10:0, is one less than the number of vectors; then where table and pending bits are.
    var bytes: [UInt8] = [msiX, base + 0x10, UInt8(queues), 0]
    bytes.appendLittleEndian(UInt32(Structure.vectors))
    bytes.appendLittleEndian(UInt32(Structure.pending))
    bytes += [0, 0, 0, 0]
    let structures: [(kind: UInt8, offset: UInt64, size: UInt32)] = [
      (Kind.common, Structure.common, UInt32(VirtioRegisters.size)),
      (Kind.interruptStatus, Structure.interruptStatus, 4),
      (Kind.device, Structure.device, max(UInt32(model.configuration.count), 4)),
      (Kind.notifications, Structure.notifications, UInt32(Structure.notifyStride) * UInt32(queues)),
    ]
    for structure in structures {
      let isLast = structure.kind == Kind.notifications
      let next = isLast ? 0 : base + UInt8(bytes.count) + 0x10
      bytes += [vendorSpecific, next, isLast ? 20 : 16, structure.kind, 0, 0, 0, 0]
      bytes.appendLittleEndian(UInt32(structure.offset))
      bytes.appendLittleEndian(structure.size)
      if isLast { bytes.appendLittleEndian(UInt32(Structure.notifyStride)) }
    }
    return bytes
  }
}
