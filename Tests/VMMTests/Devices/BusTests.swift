import Synchronization
import Testing

@testable import VMM

@Suite struct BusTests {
  /// A device that answers with where it was asked, and writes down what it is given.
  private final class Recorder: BusDevice {
    let writes = Mutex<[String]>([])
    func read(_ access: BusAccess) -> UInt64 { access.offset << 8 | UInt64(access.width) }
    func write(_ value: UInt64, _ access: BusAccess) {
      writes.withLock { $0.append("\(access.vcpu): \(value) at \(access.offset), \(access.width)") }
    }
  }

  @Test func `an access reaches the device that claims its address, with the offset into it`() throws {
    let device = Recorder()
    let bus = try Bus(name: "port", devices: [(0x70..<0x72, device)])
    #expect(bus.read(at: 0x71, width: 2, vcpu: 0) == 0x102)
    bus.write(9, at: 0x70, width: 1, vcpu: 3)
    bus.write(string: [7, 8], at: 0x71, vcpu: 0)
    #expect(device.writes.withLock { $0 } == ["3: 9 at 0, 1", "0: 7 at 1, 1", "0: 8 at 1, 1"])
    #expect(bus.unclaimedAccesses.count == 0)
  }

  @Test func `two devices may touch and must not overlap`() throws {
    let device = Recorder()
    _ = try Bus(name: "port", devices: [(0x60..<0x64, device), (0x64..<0x65, device)])
    let error = BusError.overlap(bus: "port", 0x60..<0x65, 0x64..<0x66)
    #expect(throws: error) { try Bus(name: "port", devices: [(0x64..<0x66, device), (0x60..<0x65, device)]) }
    #expect("\(error)" == "two devices overlap on the port bus: 0x60 and 0x64")
  }

  @Test(arguments: [(width: 1, value: UInt64(0xff)), (2, 0xffff), (4, 0xffff_ffff), (8, .max)])
  func `an open bus reads as ones in the access's width`(width: Int, value: UInt64) throws {
    let bus = try Bus(name: "port", devices: [])
    #expect(bus.read(at: 0x80, width: width, vcpu: 0) == value)
  }

  @Test func `accesses that nobody claims are counted, the first eight addresses kept`() throws {
    let bus = try Bus(name: "memory", devices: [])
    bus.write(0, at: 0x1000, width: 1, vcpu: 1)
    for round in 0..<1000 as Range<UInt64> { _ = bus.read(at: 0x1000 + round % 20, width: 4, vcpu: 0) }
    bus.write(string: [1, 2, 3], at: 0x2000, vcpu: 0)
    let unclaimed = bus.unclaimedAccesses
    #expect(unclaimed.count == 1002)
    #expect(unclaimed.first.map(\.address) == Array(0x1000..<0x1008))
    #expect("\(unclaimed.first[0])" == "vCPU 1 wrote 1 byte at 0x1000")
    #expect("\(unclaimed.first[1])" == "vCPU 0 read 4 bytes at 0x1001")
  }
}
