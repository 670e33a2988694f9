import TestImages
import Testing

@testable import VMM

/// An ELF file with symbols, put together by hand: header, texts, symbols, section headers.
private struct SymbolFile {
  var symbols: [(name: String, address: UInt64, size: UInt64, type: UInt8)]

  var bytes: [UInt8] {
    var texts: [UInt8] = [0]
    var entries = [UInt8](repeating: 0, count: 24)
    for symbol in symbols {
      entries += littleEndian(UInt32(texts.count)) + [symbol.type, 0] + littleEndian(UInt16(1))
      entries += littleEndian(symbol.address) + littleEndian(symbol.size)
      texts += Array(symbol.name.utf8) + [0]
    }
    while texts.count % 8 != 0 { texts.append(0) }
    var file = ELFImage(code: [0xf4]).bytes
    while file.count % 8 != 0 { file.append(0) }
    let textsOffset = file.count
    file += texts
    let symbolsOffset = file.count
    file += entries
    let headers = file.count
    file += [UInt8](repeating: 0, count: 64)
    file += section(type: 3, offset: textsOffset, size: texts.count, link: 0)
    file += section(type: 2, offset: symbolsOffset, size: entries.count, link: 1)
    file.replaceSubrange(40..<48, with: littleEndian(UInt64(headers)))
    file.replaceSubrange(58..<62, with: littleEndian(UInt16(64)) + littleEndian(UInt16(3)))
    return file
  }

  private func section(type: UInt32, offset: Int, size: Int, link: UInt32) -> [UInt8] {
    littleEndian(UInt32(0)) + littleEndian(type) + [UInt8](repeating: 0, count: 16) + littleEndian(UInt64(offset))
      + littleEndian(UInt64(size)) + littleEndian(link) + [UInt8](repeating: 0, count: 20)
  }
}

@Suite struct SymbolTableTests {
  private static let file = SymbolFile(symbols: [
    ("main", 0x10_0000, 0x40, 2), ("handler", 0x10_0100, 0x10, 2), ("label", 0x10_0200, 0, 0),
    ("data", 0x10_0300, 8, 1),
  ])

  @Test(
    arguments: [
      (0x10_0000, "main"), (0x10_001e, "main+0x1e"), (0x10_0040, nil), (0x10_0105, "handler+0x5"), (0x10_0110, nil),
      (0x10_0204, "label+0x4"), (0x10_0304, "label+0x104"), (0xf_ffff, nil), (UInt64.max, nil),
    ] as [(UInt64, String?)]) func `an address is called by its function and how far into it`(
      address: UInt64, name: String?
    )
  {
    let table = SymbolTable(ImageBytes(Self.file.bytes))
    #expect(table?[address] == name)
  }

  @Test func `a file without symbols has none`() {
    #expect(SymbolTable(ImageBytes(ELFImage(code: [0xf4]).bytes)) == nil)
    #expect(SymbolTable(ImageBytes([1, 2, 3])) == nil)
  }

  @Test func `a damaged file gives some name or none, and no harm`() {
    let good = Self.file.bytes
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      let table = SymbolTable(ImageBytes(bytes))
      for address in [0, 0x10_0000, 0x10_0105, .max] as [UInt64] {
        #expect((table?[address]?.utf8.count ?? 0) < 512, "seed \(seed)")
      }
    }
  }
}
