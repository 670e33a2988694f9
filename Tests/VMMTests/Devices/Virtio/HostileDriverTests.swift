import BuiltInGuests
import Foundation
import KVM
import TestImages
import Testing

@testable import VMM

/// A driver that does to its devices whatever comes to its mind. It is this test, on this thread, with the devices' own
/// threads at work; no vCPU runs.
@Suite(.needsKVM) struct HostileDriverTests {
  /// A machine with a virtio-rng and a disk.
  private static func machine(_ disk: TemporaryDisk, _ irqChip: MachineConfiguration.IRQChip) throws -> Machine {
    let image = try #require(BuiltInGuest.named("hello")).image
    return try Machine.testing(image) {
      $0.irqChip = irqChip
      $0.virtio = [.entropy, .disk(VirtioDevice.Disk(path: disk.path))]
    }
  }

  @Test(arguments: MachineConfiguration.IRQChip.allCases)
  func `random rings and register writes do no harm, and the device works again after a reset`(
    _ irqChip: MachineConfiguration.IRQChip
  ) throws {
    let disk = try TemporaryDisk(sectors: 64)
    let machine = try Self.machine(disk, irqChip)
    try machine.virtio.start()
    defer { machine.virtio.end() }
    let seed = UInt64.random(in: 0..<1 << 48)
    var driver = RandomDriver(machine, seed: seed)
    for _ in 0..<20_000 { driver.step() }
    #expect(machine.stop.reason == nil, "seed \(seed)")
    // Pauses still find the devices between two requests.
    try machine.pause()
    machine.resume()
    #expect(FileManager.default.fileSize(disk.path) == 64 * 512, "seed \(seed)")
    let tamed = TameDriver(machine)
    try tamed.start()
    #expect(tamed.hasFilled(), "seed \(seed)")
  }

  @Test func `whatever a driver does, the process keeps neither memory nor descriptors for it`() async {
    // A process of its own: other tests run beside this one.
    await #expect(processExitsWith: .success) {
      let disk = try TemporaryDisk(sectors: 64)
      let machine = try Self.machine(disk, .kernel)
      try machine.virtio.start()
      defer { machine.virtio.end() }
      var driver = RandomDriver(machine, seed: UInt64.random(in: 0..<1 << 48))
      for _ in 0..<5_000 { driver.step() }
      let before = (files: try Self.descriptors, resident: try Self.resident)
      for _ in 0..<20_000 { driver.step() }
      try machine.pause()
      // Each of the four vectors has an irqfd from its first message on.
      #expect(try Self.descriptors <= before.files + 4)
      // Requests are gone; what devices wrote to guest memory is there.
      #expect(try Self.resident - before.resident < Int(machine.memory.size) + (64 << 20))
      machine.resume()
    }
  }

  private static var descriptors: Int {
    get throws { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
  }

  /// In bytes (proc_pid_statm(5)).
  private static var resident: Int {
    get throws {
      let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
      return try #require(Int(words[1])) * Int(getpagesize())
    }
  }

  @Test func `a driver that breaks its queue is told of`() throws {
    let disk = try TemporaryDisk(sectors: 64)
    let machine = try Self.machine(disk, .split)
    try machine.virtio.start()
    defer { machine.virtio.end() }
    let driver = TameDriver(machine)
    #expect(machine.brokenQueues == [])
    // A descriptor that is followed by itself.
    try driver.start(flags: 3)
    #expect(driver.comes { !machine.brokenQueues.isEmpty })
    try driver.start(flags: 3)
    #expect(driver.comes { machine.brokenQueues[0].contains("2 times") })
    #expect(
      machine.brokenQueues == [
        "the driver of virtio0 broke its queue 2 times, first: a chain has more descriptors than the queue: "
          + "it leads back into itself"
      ])
  }
}

extension Machine {
  /// Writes a register of a virtio device's configuration space.
  fileprivate func configure(_ device: UInt64, _ register: UInt64, _ value: UInt64) {
    let slot = UInt64(VirtioPlace.firstSlot) + device
    ports.write(1 << 31 | slot << 11 | register, at: 0xcf8, width: 4, vcpu: 0)
    ports.write(value, at: 0xcfc, width: 4, vcpu: 0)
  }
}

extension FileManager {
  fileprivate func fileSize(_ path: String) -> Int? {
    (try? attributesOfItem(atPath: path))?[.size] as? Int
  }
}

/// Does things to two devices at random, which set-ups that work are among.
private struct RandomDriver {
  private let machine: Machine
  private var random: SeededGenerator

  init(_ machine: Machine, seed: UInt64) {
    self.machine = machine
    random = SeededGenerator(seed: seed)
  }

  private mutating func number(_ range: Range<UInt64>) -> UInt64 { .random(in: range, using: &random) }

  private mutating func value() -> UInt64 {
    switch number(0..<6) {
    case 0: 0
    case 1: .max
    case 2: number(0..<16)
    case 3: 1 << number(0..<64)
    case 4: 0x40_0000 + number(0..<0x400) * 16
    default: random.next()
    }
  }

  mutating func step() {
    let base = VirtioPlace.firstAddress + VirtioPlace.size * number(0..<2)
    let width = 1 << Int(number(0..<4))
    switch number(0..<16) {
    case 0..<4:
      // The queue's page: descriptors and rings.
      try? machine.memory.store(UInt16(truncatingIfNeeded: value()), at: 0x40_0000 + 2 * number(0..<0x200))
    case 4, 5:
      let flags = number(0..<8)
      let place = 0x40_0000 + 16 * number(0..<8)
      try? machine.memory.store(value(), at: place)
      try? machine.memory.store(number(0..<0x3000) | flags << 32 | number(0..<9) << 48, at: place + 8)
    case 6: machine.addresses.write(value(), at: base + number(0..<0x40), width: width, vcpu: 0)
    case 7: machine.addresses.write(value(), at: base + 0x4000 + 4 * number(0..<16), width: width, vcpu: 0)
    case 8: machine.addresses.write(value(), at: base + number(0..<0x8000), width: width, vcpu: 0)
    case 9: _ = machine.addresses.read(at: base + number(0..<0x8000), width: width, vcpu: 0)
    case 10: configureEither(number(0..<64) * 4, value())
    case 11: configureEither(0x10, VirtioPlace.firstAddress + VirtioPlace.size * number(0..<2))
    case 12: configureEither(0x04, 6)
    case 13, 14: machine.addresses.write(0, at: base + 0x3000 + 4 * number(0..<4), width: 2, vcpu: 0)
    default: setUp(base)
    }
  }

  private mutating func configureEither(_ register: UInt64, _ value: UInt64) {
    machine.configure(number(0..<2), register, value)
  }

  /// A reset, and a queue in the page that the other steps write to.
  private mutating func setUp(_ base: UInt64) {
    configureEither(0x04, 6)
    TameDriver.setUp(machine, base)
    let next = try? machine.memory.load(UInt16.self, at: 0x40_0102)
    try? machine.memory.store((next ?? 0) &+ UInt16(number(0..<9)), at: 0x40_0102)
  }
}

/// Does to the first device what a driver does.
private struct TameDriver {
  private let machine: Machine

  init(_ machine: Machine) { self.machine = machine }

  static func setUp(_ machine: Machine, _ base: UInt64) {
    func write(_ value: UInt64, _ offset: UInt64, _ width: Int) {
      machine.addresses.write(value, at: base + offset, width: width, vcpu: 0)
    }
    write(0, 0x14, 1)
    write(3, 0x14, 1)
    write(1, 0x08, 4)
    write(1, 0x0c, 4)
    write(0xb, 0x14, 1)
    write(0, 0x16, 2)
    write(8, 0x18, 2)
    write(0x40_0000, 0x20, 8)
    write(0x40_0100, 0x28, 8)
    write(0x40_0200, 0x30, 8)
    write(1, 0x1c, 2)
    write(0xf, 0x14, 1)
  }

  /// One request, which fills 16 bytes.
  ///
  /// - Parameter flags: those of its descriptor.
  func start(flags: UInt64 = 2) throws {
    let base = VirtioPlace.firstAddress
    // The other device decodes nothing, wherever it is.
    machine.configure(1, 0x04, 0)
    machine.configure(0, 0x10, base)
    machine.configure(0, 0x04, 6)
    try machine.memory.write([UInt8](repeating: 0, count: 0x2000), at: 0x40_0000)
    Self.setUp(machine, base)
    try machine.memory.store(0x40_1000 as UInt64, at: 0x40_0000)
    try machine.memory.store(flags << 32 | 16, at: 0x40_0008)
    try machine.memory.store(1 as UInt16, at: 0x40_0102)
    machine.addresses.write(0, at: base + 0x3000, width: 2, vcpu: 0)
  }

  func hasFilled() -> Bool {
    comes { (try? machine.memory.load(UInt16.self, at: 0x40_0202)) == 1 }
      && (try? machine.memory.load(UInt32.self, at: 0x40_0208)) == 16
  }

  /// Waits for what the device's thread does.
  func comes(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
      guard ContinuousClock.now < deadline else { return false }
      usleep(1000)
    }
    return true
  }
}
