import TestImages
import Testing

@testable import VMM

/// Guests that know nothing of Lapwing, each entered as its format has it.
@Suite(.needsKVM) struct ForeignGuestTests {
  @Test func `an ELF64 guest prints and ends with its status`() throws {
    let run = try Run(ELFImage(code: Code(.long).print("hi\n").debugExit(0).bytes).bytes)
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(run.machine.console.text == "hi\n")
    #expect(run.outcome.isSuccess)
    let failed = try Run(ELFImage(code: Code(.long).debugExit(42).bytes).bytes)
    #expect(failed.ending == "vCPU 0 wrote 42 to the debug exit (0 would be success)")
    #expect(!failed.outcome.isSuccess)
  }

  @Test func `an ELF64 guest finds the boot page at RDI, its index in RSI and its BSS zeroed`() throws {
    // mov [0x2000], rdi; mov [0x2008], rsi; mov rax, [0x300000]; mov [0x2010], rax; mov [0x2018], rsp
    let code = Code(.long).then([0x48, 0x89, 0x3c, 0x25, 0x00, 0x20, 0, 0, 0x48, 0x89, 0x34, 0x25, 0x08, 0x20, 0, 0])
      .then([0x48, 0x8b, 0x04, 0x25, 0, 0, 0x30, 0, 0x48, 0x89, 0x04, 0x25, 0x10, 0x20, 0, 0])
      .then([0x48, 0x89, 0x24, 0x25, 0x18, 0x20, 0, 0]).debugExit(0)
    var image = ELFImage(code: code.bytes)
    image.segments.append(ELFImage.Segment(at: 0x30_0000, [1, 2, 3, 4], memorySize: 8))
    let run = try Run(image.bytes) {
      $0.memory = 8 << 20
      $0.arguments = "one two"
    }
    let memory = run.machine.memory
    let page = try memory.load(UInt64.self, at: 0x2000)
    #expect(page == run.machine.layout.bootPage)
    #expect(try memory.read(4, at: page) == Array("LPWG".utf8))
    #expect(try memory.load(UInt64.self, at: page + 24) == 8 << 20)
    #expect(try memory.read(8, at: page + 128) == Array("one two\0".utf8))
    #expect(try memory.load(UInt64.self, at: 0x2008) == 0)
    #expect(try memory.load(UInt64.self, at: 0x2010) == 0x0403_0201)
    #expect(try memory.load(UInt64.self, at: 0x2018) == run.machine.layout.processorArea + BootLayout.processorStride)
  }

  @Test func `with a direct start every vCPU enters with its own index and stack`() throws {
    // lock inc dword [0x2000]; mov [0x2010 + 8 * rsi], rsp; wait until all have; then vCPU 0 ends.
    let code = Code(.long).then([0x48, 0x89, 0x24, 0xf5, 0x10, 0x20, 0, 0, 0xf0, 0xff, 0x04, 0x25, 0x00, 0x20, 0, 0])
      .then([0x83, 0x3c, 0x25, 0x00, 0x20, 0, 0, 3, 0x75, 0xf6, 0x85, 0xf6, 0x75, 0xfe]).debugExit(0)
    let run = try Run(ELFImage(code: code.bytes).bytes) {
      $0.vcpus = 3
      $0.start = .direct
    }
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    let area = run.machine.layout.processorArea
    for index in 0..<3 as Range<UInt64> {
      let stack = try run.machine.memory.load(UInt64.self, at: 0x2010 + 8 * index)
      #expect(stack == area + (index + 1) * BootLayout.processorStride)
    }
  }

  @Test(arguments: [0x7c00, 0x500, 0x1_2345, 0x9_0000] as [UInt64])
  func `flat code is entered in real mode where it was loaded`(address: UInt64) throws {
    // mov ax, cs; mov [0x400], ax; call +0; pop ax; mov [0x402], ax
    let code = Code(.real).then([0x8c, 0xc8, 0xa3, 0x00, 0x04, 0xe8, 0, 0, 0x58, 0xa3, 0x02, 0x04])
      .print("real").debugExit(0)
    let run = try Run(code.bytes) {
      $0.loadAddress = address
      $0.memory = 1 << 20
    }
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(run.machine.console.text == "real")
    let segment = UInt64(try run.machine.memory.load(UInt16.self, at: 0x400))
    let offset = UInt64(try run.machine.memory.load(UInt16.self, at: 0x402))
    #expect(segment * 16 + offset == address + 8)
    // As a PC's firmware enters a boot sector: code that is linked for 0x7c00 finds its labels.
    #expect(address >= 0x1_0000 || segment == 0)
  }

  /// As xv6 does, whose table has user code at the third selector: its first interrupt would return into that.
  @Test func `a Multiboot guest with a GDT of its own goes on with the selectors of its loader`() throws {
    func store(_ value: UInt32, at address: UInt32) -> [UInt8] {
      // mov dword [address], value
      [0xc7, 0x05] + [address, value].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }
    // Nothing, 32-bit code, data, 32-bit code of ring 3; behind them the limit and the base.
    let table: [UInt32] = [
      0, 0, 0xffff, 0x00cf_9b00, 0xffff, 0x00cf_9300, 0xffff, 0x00cf_fb00, 0x3000_001f, 0,
    ]
    let stores = table.enumerated().flatMap { store($1, at: 0x3000 + UInt32($0) * 4) }
    let code = Code(.protected).then(stores)
      // lgdt [0x3020]; mov esp, 0x8000; push cs; call +0; add dword [esp], 5; retf
      .then([0x0f, 0x01, 0x15, 0x20, 0x30, 0, 0, 0xbc, 0, 0x80, 0, 0, 0x0e, 0xe8, 0, 0, 0, 0])
      .then([0x83, 0x04, 0x24, 5, 0xcb])
      // mov ax, ss; mov ds, ax
      .then([0x66, 0x8c, 0xd0, 0x8e, 0xd8]).debugExit(0)
    let run = try Run(MultibootImage(code: code.bytes).bytes) { $0.memory = 8 << 20 }
    #expect(run.ending == "the guest wrote 0 to the debug exit")
  }

  @Test(arguments: [8 << 20, (3 << 30) + (64 << 20)] as [UInt64])
  func `a Multiboot guest finds the magic, the memory map and its command line`(size: UInt64) throws {
    // mov [0x2000], eax; mov [0x2004], ebx
    let code = Code(.protected).then([0xa3, 0x00, 0x20, 0, 0, 0x89, 0x1d, 0x04, 0x20, 0, 0]).debugExit(0)
    let run = try Run(MultibootImage(code: code.bytes).bytes) {
      $0.memory = size
      $0.arguments = "quiet"
    }
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    let memory = run.machine.memory
    #expect(try memory.load(UInt32.self, at: 0x2000) == 0x2bad_b002)
    let information = UInt64(try memory.load(UInt32.self, at: 0x2004))
    #expect(try memory.load(UInt32.self, at: information) == 0x45)
    #expect(try memory.load(UInt32.self, at: information + 4) == 639)
    // The BIOS data area leads to the MP floating pointer, in the last KiB of conventional memory.
    #expect(try memory.read(2, at: 0x413) == [0x7f, 0x02])
    let extended = UInt64(try memory.load(UInt16.self, at: 0x40e)) << 4
    #expect(try memory.read(4, at: extended) == Array("_MP_".utf8))
    #expect(try UInt64(memory.load(UInt32.self, at: information + 8)) == (memory.lowSize >> 10) - 1024)
    let text = UInt64(try memory.load(UInt32.self, at: information + 16))
    #expect(try memory.read(11, at: text) == Array("test quiet\0".utf8))

    let map = UInt64(try memory.load(UInt32.self, at: information + 48))
    let banks = Int(try memory.load(UInt32.self, at: information + 44)) / 24
    var described: UInt64 = 0
    for bank in 0..<UInt64(banks) {
      let entry = try memory.read(24, at: map + 24 * bank)
      #expect(entry[0..<4].elementsEqual(littleEndian(UInt32(20))))
      #expect(entry[20..<24].elementsEqual(littleEndian(UInt32(1))))
      described += entry[12..<20].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    #expect(described == size)
    #expect(banks == (size > GuestMemory.lowLimit ? 2 : 1))
  }

  @Test func `a Multiboot guest's command line is cut to its page`() throws {
    let run = try Run(MultibootImage(code: Code(.protected).debugExit(0).bytes).bytes) {
      $0.arguments = String(repeating: "x", count: 1023)
    }
    let text = run.machine.layout.multibootInformation + 512
    #expect(try run.machine.memory.read(1029, at: text) == Array("test \(String(repeating: "x", count: 1023))\0".utf8))
  }
}
