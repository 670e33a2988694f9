import APIC
import ForeignStates
import KVM
import MachineState
import TestStates
import Testing

/// QEMU's migration stream.
@Suite struct StreamTests {
  private func read(_ bytes: [UInt8]) throws -> InspectableState {
    var reader = StateReader(ByteSource(bytes))
    return try reader.read().state
  }

  @Test(arguments: [(false, MPState.halted), (true, .initReceived)])
  func `a processor of TCG is halted though its MP state says that it can run`(waitsForSIPI: Bool, state: MPState)
    throws
  {
    var stream = MadeUpStream()
    for index in stream.devices.indices where stream.devices[index].instance == 1 {
      switch stream.devices[index].name {
      case "cpu":
        let place = try #require(stream.devices[index].fields.firstIndex { $0.name == "env.mp_state" })
        stream.devices[index].fields[place].values = [0]
      case "apic":
        stream.devices[index].fields.append(.init("wait_for_sipi", 4, waitsForSIPI ? 1 : 0))
      default: break
      }
    }
    stream.devices.insert(.halt(0), at: 0)
    stream.devices.insert(.halt(1), at: 3)
    #expect(try read(stream.bytes).vcpus.map(\.mpState) == [.runnable, state])
  }

  @Test func `processors and chips are taken from the fields that the description names`() throws {
    let state = try read(MadeUpStream().bytes)
    #expect(state.format == .qemu)
    #expect(state.machine.guest == "pc-i440fx-9.9")
    #expect(state.vcpus.map(\.id) == [0, 1])
    #expect(state.vcpus.map(\.mpState) == [.runnable, .halted])
    #expect(state.vcpus[0].registers?.rip == 0x1234)
    #expect(state.vcpus[0].registers?.rsp == 0x104)
    #expect(state.vcpus[0].apicBase?.isBootstrapProcessor == true)
    #expect(state.vcpus[1].interruptRequest == [0x31])
    #expect(state.vcpus[1].deadline == 2_000_000)
    #expect(state.vcpus[0].lvt(.lint0)?.deliveryMode == .external)
    #expect(state.vcpus[0].events?.interrupt.injected == false)
    #expect(state.ioapic?.entries[4].vector == 0x34)
    #expect(state.pics?.slave.irqBase == 0x70)
    #expect(state.guestClock == 5_000_000_000)
  }

  @Test func `what the stream does not hold is not known`() throws {
    let state = try read(MadeUpStream().bytes)
    #expect(state.vcpus[0][.processorPriority] == nil)
    #expect(state.vcpus[0][.currentCount] == nil)
    #expect(state.vcpus[0][.version] == nil)
    #expect(state.vcpus[0].cpuid == nil)
    #expect(state.vcpus[0].tscKHz == nil)
    #expect(!state.knows(.routes) && !state.knows(.events) && !state.knows(.pit))
  }

  @Test func `of an x2APIC the LDR is not known, and the id is the section's number`() throws {
    var stream = MadeUpStream()
    for index in stream.devices.indices where stream.devices[index].name == "apic" {
      stream.devices[index].fields[0].values[0] |= 0x400
      stream.devices[index].instance += 300
    }
    let state = try read(stream.bytes)
    #expect(state.vcpus.map { $0[.id] } == [300, 301])
    #expect(state.vcpus[0][.logicalDestination] == nil)
  }

  @Test func `libvirt's header is passed over`() throws {
    func header(compressed: UInt8, version: UInt8 = 2, mark: String = "LibvirtQemudSave") -> [UInt8] {
      var header = Array(mark.utf8) + [UInt8](repeating: 0, count: 76)
      (header[16], header[20], header[28]) = (version, 9, compressed)
      return header + Array("<domain/>".utf8)
    }
    let stream = MadeUpStream().bytes
    #expect(try read(header(compressed: 0) + stream).vcpus.count == 2)
    for (bytes, problem) in [
      (header(compressed: 1) + stream, "gzip -d"), (header(compressed: 6) + stream, "not format 6"),
      (header(compressed: 0, version: 3) + stream, "not 3"),
      (header(compressed: 0, mark: "LibvirtQemudPart"), "was not finished"),
    ] {
      let error = try #require(throws: ForeignStateError.self) { try read(bytes) }
      #expect(error.problem.contains(problem), "\(error)")
    }
  }

  @Test func `a compressed file is told how to be read`() throws {
    for (mark, program) in [([0x1f, 0x8b], "zcat"), ([0x28, 0xb5, 0x2f, 0xfd], "zstdcat")] as [([UInt8], String)] {
      let error = try #require(throws: ForeignStateError.self) { try read(mark + [0, 0, 0, 0]) }
      #expect(error.problem.contains(program))
    }
  }

  @Test func `the command that QEMU 10 writes is passed over, and those of another kind of migration are refused`()
    throws
  {
    var stream = MadeUpStream()
    let without = try read(stream.bytes)
    stream.command = 11
    #expect(try read(stream.bytes).vcpus == without.vcpus)
    // MIG_CMD_POSTCOPY_ADVISE
    stream.command = 3
    let error = try #require(throws: ForeignStateError.self) { try read(stream.bytes) }
    #expect(error.problem.contains("not command 3 of a live migration"))
  }

  @Test func `a stream that ends anywhere is refused with the place`() throws {
    let bytes = MadeUpStream().bytes
    for count in [5, 9, 12, 30, 60, 100, 200, 4200, 8300, 8500, 9000, bytes.count - 700, bytes.count - 1] {
      let error = try #require(throws: ForeignStateError.self) { try read(Array(bytes.prefix(count))) }
      #expect(error.format == .qemu)
      #expect(error.offset ?? .max <= UInt64(count), "\(count): \(error)")
    }
    var bare = MadeUpStream()
    bare.isDescribed = false
    let error = try #require(throws: ForeignStateError.self) { try read(bare.bytes) }
    #expect(error.problem.contains("suppress-vmdesc"))
  }

  @Test func `a damaged stream is read or refused, and ends nothing`() {
    let bytes = MadeUpStream().bytes
    var generator = SystemRandomNumberGenerator()
    var refused = 0
    for _ in 0..<3000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        damaged[Int.random(in: 8..<damaged.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      if (try? read(damaged)) == nil { refused += 1 }
    }
    #expect(refused > 100)
  }

  @Test func `a page of a block that was not named, or outside of it, is refused with the place`() throws {
    var stream = MadeUpStream()
    stream.memorySize = 0x2000
    let outside = try #require(throws: ForeignStateError.self) { try read(stream.bytes) }
    #expect(outside.problem.contains("within the 8192 bytes of \"pc.ram\" expected, not at 0x2000"), "\(outside)")
    var bytes = MadeUpStream().bytes
    // The name stands before the block's size first, then before its first page.
    let names = bytes.indices.filter { bytes[$0...].starts(with: "pc.ram".utf8) }
    bytes[names[1]] = 0x71
    let unnamed = try #require(throws: ForeignStateError.self) { try read(bytes) }
    #expect(unnamed.problem.contains("not \"qc.ram\"") && unnamed.offset == UInt64(names[1] + 6), "\(unnamed)")
  }

  @Test func `a version that is newer is told by its number`() throws {
    var bytes = MadeUpStream().bytes
    bytes[7] = 4
    let error = try #require(throws: ForeignStateError.self) { try read(bytes) }
    #expect(error.problem.contains("version 3 expected, not 4"))
  }
}
