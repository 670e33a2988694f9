import APIC

/// The functions of an ELF file by their addresses (System V ABI, chapter 4, "Symbol Table"), without the file: a kernel's
/// may have hundreds of MiB, of which these are a few.
///
/// Files are untrusted: of a table that is damaged, or larger than any guest's, what can be read counts.
public struct SymbolTable: Sendable {
  private struct Symbol {
    let address: UInt64
    let size: UInt32
    /// Where its name begins, which a NUL ends.
    let name: UInt32
  }

  private static let symbolTableType: UInt32 = 2
  private static let most: UInt64 = 1 << 18
  /// How many bytes all names may have.
  private static let nameLimit = 8 << 20
  /// A name is told up to here.
  private static let longestName = 128
  /// How far behind the start of a function without a size an address may be.
  private static let reach: UInt64 = 1 << 16

  private var symbols: [Symbol] = []
  private var names: [UInt8] = []

  /// The symbols of an image; nil where it is no ELF file or has none.
  public init?(_ image: ImageBytes) {
    guard ELFFile.matches(image), let isWide = image.load(UInt8.self, at: 4).map({ $0 == 2 }),
      let sections = Sections(image, isWide: isWide)
    else { return nil }
    // A file has at most one.
    let tables = (0..<sections.count).lazy.compactMap { sections[$0] }
    guard let table = tables.first(where: { $0.type == Self.symbolTableType }), let texts = sections[table.link] else {
      return nil
    }
    takeFunctions(image, isWide, table, texts)
    guard !symbols.isEmpty else { return nil }
    symbols.sort { $0.address < $1.address }
  }

  /// What an address is called: a function and how far into it, such as `main+0x1e`; nil where no function is near.
  public subscript(address: UInt64) -> String? {
    var (low, high) = (0, symbols.count)
    while low < high {
      let middle = (low + high) / 2
      if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let symbol = symbols[low - 1]
    let offset = address - symbol.address
    guard offset < (symbol.size > 0 ? UInt64(symbol.size) : Self.reach) else { return nil }
    let name = String(decoding: names[Int(symbol.name)...].prefix { $0 != 0 }, as: UTF8.self)
    return offset == 0 ? name : "\(name)+\(hex(offset))"
  }

  /// Functions, and labels of assembly, which have no type.
  private mutating func takeFunctions(
    _ image: ImageBytes, _ isWide: Bool, _ table: Sections.Section, _ texts: Sections.Section
  ) {
    let size: UInt64 = isWide ? 24 : 16
    for index in 0..<min(table.size / size, Self.most) {
      let entry = table.offset + index * size
      guard let name = image.load(UInt32.self, at: entry), name > 0,
        let info = image.load(UInt8.self, at: entry + (isWide ? 4 : 12)), info & 0xf == 2 || info & 0xf == 0,
        let section = image.load(UInt16.self, at: entry + (isWide ? 6 : 14)), section != 0, section < 0xff00
      else { continue }
      let address =
        isWide ? image.load(UInt64.self, at: entry + 8) : image.load(UInt32.self, at: entry + 4).map(UInt64.init)
      let length =
        isWide ? image.load(UInt64.self, at: entry + 16) : image.load(UInt32.self, at: entry + 8).map(UInt64.init)
      guard let address, let length, UInt64(name) < texts.size,
        let text = Self.text(image, at: texts.offset + UInt64(name), before: texts.offset + texts.size),
        names.count + text.count < Self.nameLimit
      else { continue }
      symbols.append(Symbol(address: address, size: UInt32(clamping: length), name: UInt32(names.count)))
      names += image.bytes[text] + [0]
    }
  }

  private static func text(_ image: ImageBytes, at start: UInt64, before end: UInt64) -> Range<Int>? {
    guard end <= UInt64(image.count), start < end else { return nil }
    let (first, last) = (Int(start), Int(min(end, start + UInt64(longestName))))
    let stop = image.bytes[first..<last].firstIndex(of: 0) ?? last
    return stop > first ? first..<stop : nil
  }
}

/// The section headers of an ELF file.
private struct Sections {
  struct Section {
    let type: UInt32
    let offset: UInt64
    let size: UInt64
    let link: UInt64
  }

  private let image: ImageBytes
  private let isWide: Bool
  private let table: UInt64
  private let entrySize: UInt64
  let count: UInt64

  init?(_ image: ImageBytes, isWide: Bool) {
    let table = isWide ? image.load(UInt64.self, at: 40) : image.load(UInt32.self, at: 32).map(UInt64.init)
    guard let table, table > 0, table < UInt64(image.count),
      let size = image.load(UInt16.self, at: isWide ? 58 : 46), size >= (isWide ? 64 : 40),
      let count = image.load(UInt16.self, at: isWide ? 60 : 48)
    else { return nil }
    self.image = image
    self.isWide = isWide
    self.table = table
    entrySize = UInt64(size)
    self.count = UInt64(count)
  }

  /// A section that lies in the file; nil for any other.
  subscript(index: UInt64) -> Section? {
    guard index < count else { return nil }
    let header = table + index * entrySize
    func word(_ narrow: UInt64, _ wide: UInt64) -> UInt64? {
      isWide
        ? image.load(UInt64.self, at: header + wide) : image.load(UInt32.self, at: header + narrow).map(UInt64.init)
    }
    guard let type = image.load(UInt32.self, at: header + 4), let offset = word(16, 24), let size = word(20, 32),
      let link = image.load(UInt32.self, at: header + (isWide ? 40 : 24))
    else { return nil }
    let (end, wraps) = offset.addingReportingOverflow(size)
    guard !wraps, end <= UInt64(image.count) else { return nil }
    return Section(type: type, offset: offset, size: size, link: UInt64(link))
  }
}
