/// What lies where in the guest's physical memory, as a PC's firmware answers INT 15h with EAX E820h (ACPI specification,
/// section 15).
struct E820Map {
  struct Entry: Hashable {
    var address: UInt64
    var size: UInt64
    var kind: Kind
  }

  enum Kind: UInt32 {
    case usable = 1
    case reserved = 2
  }

  let entries: [Entry]

  /// A machine's memory, without what a PC has between the end of conventional memory and 1 MiB.
  init(_ memory: GuestMemory) {
    let (low, high) = (LinuxLayout.lowEnd, LinuxLayout.kernelStart)
    entries =
      [
        Entry(address: 0, size: low, kind: .usable),
        Entry(address: low, size: high - low, kind: .reserved),
        Entry(address: high, size: memory.lowSize - min(memory.lowSize, high), kind: .usable),
      ] + memory.banks.dropFirst().map { Entry(address: $0.address, size: $0.size, kind: .usable) }
  }
}
