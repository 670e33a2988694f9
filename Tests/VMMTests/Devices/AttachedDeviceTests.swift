import APIC
import KVM
import Synchronization
import TestImages
import Testing
import VMM

/// Devices of a machine's owner.
@Suite(.needsKVM) struct AttachedDeviceTests {
  /// What a device was asked and told.
  private final class Witness: Sendable {
    private let accesses = Mutex<[BusAccess]>([])
    private let values = Mutex<[UInt64]>([])
    var seen: [BusAccess] { accesses.withLock { $0 } }
    var written: [UInt64] { values.withLock { $0 } }

    func take(_ value: UInt64?, _ access: BusAccess) {
      accesses.withLock { $0.append(access) }
      if let value { values.withLock { $0.append(value) } }
    }
  }

  private func machine(
    _ bytes: [UInt8], _ configuration: MachineConfiguration = MachineConfiguration(),
    _ devices: @escaping @Sendable (DeviceSite) -> [AttachedDevice]
  ) throws -> Machine {
    try Machine(
      configuration, image: GuestImage(name: "test", bytes: bytes), on: KVM.open(), console: Console(),
      hooks: MachineHooks(devices: devices))
  }

  @Test func `a guest reads and writes it by a port and by an address`() throws {
    let witness = Witness()
    // in al, 0x61's neighbour; out to it; mov eax, [0xd0000010] through RBX; then what was read goes to the debug exit.
    let code = Code(.long).input(from: 0x602).out(0x21, to: 0x603)
      .then([0xbb, 0x00, 0x00, 0x00, 0xd0, 0xc6, 0x43, 0x10, 0x42, 0x8a, 0x43, 0x11, 0xe6, 0xf4]).halt()
    let machine = try machine(ELFImage(code: code.bytes).bytes) { _ in
      [
        AttachedDevice(at: .ports(0x600..<0x604)) { access in
          witness.take(nil, access)
          return 7
        } write: {
          witness.take($0, $1)
        },
        AttachedDevice(at: .addresses(0xd000_0000..<0xd000_1000)) { access in
          witness.take(nil, access)
          return 42
        } write: {
          witness.take($0, $1)
        },
      ]
    }
    let outcome = try machine.run(limit: .seconds(30))
    #expect("\(outcome)" == "\(Outcome.debugExit(value: 42, vcpu: 0))")
    #expect(witness.seen.map(\.offset) == [2, 3, 0x10, 0x11])
    #expect(witness.seen.allSatisfy { $0.width == 1 && $0.vcpu == 0 })
    #expect(witness.written == [0x21, 0x42])
  }

  @Test func `it interrupts the guest, reads its memory and ends the machine`() throws {
    let code = Code(.long).out(0x55, to: 0x600).halt()
    let read = Witness()
    let machine = try machine(ELFImage(code: code.bytes).bytes) { site in
      [
        AttachedDevice(at: .ports(0x600..<0x601)) { _, access in
          let byte = (try? site.memory.load(UInt8.self, at: 0x10_0000)) ?? 0
          read.take(UInt64(byte), access)
          _ = try? site.interrupts.signal(MSIMessage(vector: 0x51, destination: .physical(0)))
          site.stop.stop(.finished(status: 3, vcpu: access.vcpu))
        }
      ]
    }
    #expect("\(try machine.run(limit: .seconds(30)))" == "\(Outcome.finished(status: 3, vcpu: 0))")
    #expect(read.written == [UInt64(code.bytes[0])])
  }

  @Test(arguments: [
    (AttachedDevice.Place.ports(0x3f8..<0x3f9), "two devices overlap on the port bus"),
    (.ports(0x600..<0x600), "ports 0x600 to 0x600 has no place at all"),
    (.ports(0xffff..<0x1_0001), "is beyond port 0xffff"),
    (.ports(0x21..<0x22), "would never be asked: KVM answers at ports 0x20 to 0x21 itself"),
    (.addresses(0x1000..<0x2000), "lies in guest memory, which reaches to 0x4000000"),
    (.addresses(0xfee0_0ff0..<0xfee0_1000), "KVM answers at addresses 0xfee00000 to 0xfee00fff itself"),
    (.addresses(0xfec0_0000..<0xfec0_0004), "KVM answers at addresses 0xfec00000 to 0xfec000ff itself"),
  ])
  func `one that no guest could reach, or where another is, is refused`(place: AttachedDevice.Place, problem: String) {
    let error = #expect(throws: MachineError.self) {
      try machine(ELFImage(code: Code(.long).halt().bytes).bytes) { _ in [AttachedDevice(at: place) { _, _ in }] }
    }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
  }

  @Test func `with the IOAPIC in this process its PIC's ports are free`() throws {
    var configuration = MachineConfiguration()
    configuration.irqChip = .split
    let machine = try machine(ELFImage(code: Code(.long).out(1, to: 0x21).debugExit(0).bytes).bytes, configuration) {
      _ in
      [AttachedDevice(at: .ports(0x20..<0x22)) { _, _ in }]
    }
    #expect(try machine.run(limit: .seconds(30)).isSuccess)
    #expect(machine.unclaimedAccesses.allSatisfy { $0.accesses.count == 0 })
  }
}
