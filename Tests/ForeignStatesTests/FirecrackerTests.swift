import APIC
import ForeignStates
import KVM
import MachineState
import Support
import Testing

/// Firecracker's `vmstate`, made up by the layouts of its sources.
@Suite struct FirecrackerTests {
  private static let polynomial: UInt64 = 0x95ac_9329_ac4b_c9b5

  private static func checksum(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0) { checksum, byte in
      (0..<8).reduce(checksum ^ UInt64(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
    }
  }

  private struct Writer {
    var bytes: [UInt8] = []
    mutating func put<Value: FixedWidthInteger>(_ values: Value...) {
      for value in values { bytes.appendLittleEndian(value) }
    }
    mutating func put(bytes content: [UInt8]) {
      put(UInt64(content.count))
      bytes += content
    }
    mutating func put(text: String) { put(bytes: Array(text.utf8)) }
  }

  /// The layouts: the state's version, and whether it is the later one of two.
  private enum Layout: CaseIterable {
    case firecracker8, firecracker11, firecracker12, firecracker13, firecracker14
    var version: String {
      switch self {
      case .firecracker8: "2.0.0"
      case .firecracker11: "5.0.0"
      case .firecracker12: "6.0.0"
      case .firecracker13, .firecracker14: "8.0.0"
      }
    }
    var hasMemoryBefore: Bool { self == .firecracker8 || self == .firecracker11 }
    var addressSpaces: Int { self == .firecracker13 ? 3 : self == .firecracker14 ? 4 : 0 }
  }

  private func memory(_ writer: inout Writer, _ layout: Layout) {
    writer.put(UInt64(1))
    writer.put(UInt64(0), UInt64(128 << 20))
    if layout == .firecracker8 { writer.put(UInt64(0)) }
    if layout == .firecracker14 {
      writer.put(UInt32(0))
      writer.put(UInt64(2))
      writer.put(UInt8(1), UInt8(0))
    }
  }

  private func capabilities(_ writer: inout Writer) {
    writer.put(UInt64(2))
    writer.put(text: "56")
    writer.put(text: "!171")
  }

  private func allocator(_ writer: inout Writer, spaces: Int) {
    for _ in 0..<2 {
      writer.put(UInt32(5))
      writer.put(UInt8(1))
      writer.put(UInt32(7), UInt32(23))
      writer.put(UInt64(1))
      writer.put(UInt32(6))
    }
    for _ in 0..<spaces {
      writer.put(UInt64(0x1000), UInt64(0x1fff))
      writer.put(UInt8(1))
      writer.put(UInt64(0x1000), UInt64(0x17ff))
      writer.put(UInt32(1))
      writer.put(UInt8(0), UInt8(0))
      writer.put(UInt64(1))
    }
  }

  private func state(_ layout: Layout, vcpus: Int = 2) -> [UInt8] {
    var writer = Writer()
    writer.put(UInt64(0x0710_1984_8664_0000))
    writer.put(text: layout.version)
    writer.put(UInt64(128))
    writer.put(UInt8(0))
    writer.put(UInt32(3))
    writer.put(text: "/vmlinux")
    writer.put(UInt8(0), UInt8(1))
    writer.put(text: "console=ttyS0")
    writer.put(UInt32(0))
    if layout.hasMemoryBefore { memory(&writer, layout) }
    if layout != .firecracker8 { capabilities(&writer) }
    if !layout.hasMemoryBefore { memory(&writer, layout) }
    if layout.addressSpaces > 0 { allocator(&writer, spaces: layout.addressSpaces) }
    var pit = [UInt8](repeating: 0, count: 112)
    (pit[1], pit[13]) = (0x10, 2)
    writer.put(bytes: pit)
    writer.put(bytes: [9] + [UInt8](repeating: 0, count: 47))
    for number in 0..<2 {
      var chip = [UInt8](repeating: 0, count: 520)
      (chip[0], chip[10], chip[13]) = (UInt8(number), 0xfe, UInt8(0x20 + 8 * number))
      writer.put(bytes: chip)
    }
    var ioapic = [UInt8](repeating: 0, count: 520)
    ioapic.replaceSubrange(8..<16, with: [0, 0, 0xc0, 0xfe, 0, 0, 0, 0])
    ioapic.replaceSubrange(64..<72, with: [0x34, 0, 0, 0, 0, 0, 0, 1])
    writer.put(bytes: ioapic)
    if layout == .firecracker8 { capabilities(&writer) }
    writer.put(UInt64(vcpus))
    for index in 0..<vcpus { vcpu(&writer, index, hasSize: layout != .firecracker8 && layout != .firecracker11) }
    // Devices follow, which nobody reads.
    writer.bytes += [1, 2, 3, 4]
    writer.put(Self.checksum(writer.bytes))
    return writer.bytes
  }

  private func vcpu(_ writer: inout Writer, _ index: Int, hasSize: Bool) {
    let kept = MadeUpStructures()
    writer.put(bytes: [1, 0, 0, 0, 0, 0, 0, 0])
    writer.put(UInt64(1))
    writer.put(bytes: MadeUpStructures.cpuidEntry(id: UInt8(index)))
    writer.put(UInt64(1))
    writer.put(bytes: [3, 0, 0, 0, 0, 0, 0, 0])
    writer.put(UInt64(kept.msrs.count))
    for msr in kept.msrs {
      var entry = Writer()
      entry.put(msr.index, 0)
      entry.put(msr.value)
      writer.put(bytes: entry.bytes)
    }
    writer.put(bytes: kept.debugRegisters)
    writer.put(bytes: kept.page.bytes)
    writer.put(bytes: kept.halted)
    writer.put(bytes: kept.registers)
    writer.put(bytes: kept.specialRegisters)
    writer.put(bytes: kept.events)
    writer.put(bytes: [UInt8](repeating: 0, count: 392))
    writer.put(bytes: [UInt8](repeating: 0, count: hasSize ? 4104 : 4096))
    if hasSize {
      writer.put(UInt64(2))
      writer.put(UInt32(0), UInt32(0))
    }
    writer.put(UInt8(1))
    writer.put(UInt32(2_500_000))
  }

  private func read(_ bytes: [UInt8], as source: StateSource? = nil) throws -> InspectableState {
    var reader = StateReader(ByteSource(bytes), as: source)
    return try reader.read().state
  }

  @Test func `every layout that is named is read`() throws {
    for layout in Layout.allCases {
      let state = try read(state(layout))
      #expect(state.format == .firecracker)
      #expect(state.vcpus.count == 2)
      let vcpu = try #require(state.vcpus.last)
      #expect(vcpu.id == 1 && vcpu.mpState == .halted && vcpu.tscKHz == 2_500_000)
      #expect(vcpu.registers?.rip == 0xffff_ffff_8100_0000 && vcpu.registers?.rsi == 0x104)
      #expect(vcpu.values.specialRegisters.cs.selector == 0x10 && vcpu.values.specialRegisters.cs.l == 1)
      #expect(vcpu.values.specialRegisters.cr0 == 0x8000_0011 && vcpu.values.specialRegisters.efer == 0xd01)
      #expect(vcpu.apicBase?.isBootstrapProcessor == true && vcpu.values.specialRegisters.cr8 == 2)
      #expect(vcpu.values.specialRegisters.injectedInterrupt == [49])
      #expect(vcpu.interruptRequest == [0x31, 0x83] && vcpu.deadline == 0x1234)
      #expect(vcpu.events?.interrupt.number == 0x50 && vcpu.shadow == 2 && vcpu.events?.nmi.pending == 1)
      #expect(vcpu.events?.smi?.inSMM == false && vcpu.events?.sipiVector == nil)
      #expect(vcpu.values.msr(0xc000_0082) == 0xffff_ffff_8200_0000)
      #expect(vcpu.leaf(0xb)?.edx == 1 && vcpu.values.debugRegisters.dr6 == 0xffff_0ff0)
      #expect(state.pics?.master.imr == 0xfe && state.pics?.slave.irqBase == 0x28)
      #expect(state.pit?.channel0.count == 0x1000 && state.pit?.channel0.mode == 2)
      #expect(state.ioapic?.entries[4] == RedirectionEntry(rawValue: 0x0100_0000_0000_0034))
      #expect(state.ioapic?.baseAddress == 0xfec0_0000 && state.guestClock == 9)
    }
  }

  @Test func `a version that is not read is named by its number`() throws {
    func problem(_ bytes: [UInt8]) throws -> String {
      let error = try #require(throws: ForeignStateError.self) { try read(bytes) }
      #expect(error.format == .firecracker)
      return error.problem
    }
    var writer = Writer()
    writer.put(UInt64(0x0710_1984_8664_0005))
    #expect(try problem(writer.bytes + [1, 2, 3, 4, 5, 6, 7, 8]).contains("version 5 is of Firecracker before 1.7"))
    writer = Writer()
    writer.put(UInt64(0x0710_1984_8664_0000))
    writer.put(text: "1.0.0")
    #expect(try problem(writer.bytes).contains("version 1.0.0 is not read"))
    // Crate bitcode has no lengths of 64 bits, and may put a byte before the magic.
    writer = Writer()
    writer.put(UInt64(0x0710_1984_8664_0000))
    writer.bytes += [6] + Array("10.0.0".utf8) + [0xff, 0xff]
    #expect(try problem(writer.bytes).contains("10.0.0, packed by crate bitcode"))
    #expect(try problem([0] + writer.bytes).contains("10.0.0, packed by crate bitcode"))
  }

  @Test func `a file that was cut, changed or grown is refused`() throws {
    let whole = state(.firecracker14)
    for count in stride(from: 16, to: whole.count, by: 97) {
      #expect(throws: ForeignStateError.self) { try read(Array(whole[..<count]), as: .firecracker) }
    }
    var changed = whole
    changed[200] ^= 1
    let error = try #require(throws: ForeignStateError.self) { try read(changed) }
    #expect(error.problem.contains("checksum") && error.offset == UInt64(whole.count - 8))
  }

  @Test func `a number makes no room for what the file does not have`() throws {
    var bytes = Array(state(.firecracker8, vcpus: 1).dropLast(8))
    // Where the magic, the version, the size of memory and the rest before the kernel's path have ended.
    bytes.replaceSubrange(34..<42, with: [UInt8](repeating: 0xff, count: 8))
    bytes.appendLittleEndian(Self.checksum(bytes))
    let error = try #require(throws: ForeignStateError.self) { try read(bytes) }
    #expect(error.problem.contains("that the file has room for expected") && error.offset == 34)
  }
}
