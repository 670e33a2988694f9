/// An ELF file's header and its loadable segments (System V ABI, chapters 4 and 5).
struct ELFFile {
  enum Class {
    case bits32
    case bits64
  }

  struct Segment {
    let offset: UInt64
    let address: UInt64
    let fileSize: UInt64
    let memorySize: UInt64
  }

  let fileClass: Class
  let entry: UInt64
  let segments: [Segment]
  /// Where its notes lie in the file.
  let notes: [Range<UInt64>]

  /// Whether the bytes begin as an ELF file does.
  static func matches(_ image: ImageBytes) -> Bool { image.load(UInt32.self, at: 0) == 0x464c_457f }

  init(_ image: ImageBytes) throws(ImageError) {
    switch try image.load(UInt8.self, at: 4, "the ELF header's class") {
    case 1: fileClass = .bits32
    case 2: fileClass = .bits64
    case let other: throw .unsupportedELF(reason: "its class is \(other), neither 32 nor 64 bits")
    }
    guard try image.load(UInt8.self, at: 5, "the ELF header's byte order") == 1 else {
      throw .unsupportedELF(reason: "it is big-endian")
    }
    let type = try image.load(UInt16.self, at: 16, "the ELF header's type")
    guard type == 2 else {
      throw .unsupportedELF(
        reason: "its type is \(Self.typeName(type)); only a static executable (ET_EXEC) can be booted")
    }
    let machine = try image.load(UInt16.self, at: 18, "the ELF header's machine")
    guard machine == (fileClass == .bits64 ? 62 : 3) else {
      throw .unsupportedELF(reason: "it is for machine \(machine), not for x86-64 (62) or i386 (3) of its class")
    }
    entry = try Self.word(image, fileClass, at: 24, 24, "the entry point")
    segments = try Self.segments(Self.loadable, of: image, fileClass)
    guard segments.contains(where: { $0.memorySize > 0 }) else { throw .nothingToLoad }
    // A damaged note says nothing, and nobody needs it.
    notes = ((try? Self.segments(Self.note, of: image, fileClass)) ?? []).map { $0.offset..<$0.offset + $0.fileSize }
  }

  /// PT_LOAD and PT_NOTE.
  private static let loadable: UInt32 = 1
  private static let note: UInt32 = 4

  /// The program header table's entries of a type, whose contents are in the file.
  private static func segments(
    _ type: UInt32, of image: ImageBytes, _ fileClass: Class
  ) throws(ImageError) -> [Segment] {
    let wide = fileClass == .bits64
    let table = try word(image, fileClass, at: 28, 32, "the program header table's offset")
    let entrySize = UInt64(try image.load(UInt16.self, at: wide ? 54 : 42, "the program headers' size"))
    let count = UInt64(try image.load(UInt16.self, at: wide ? 56 : 44, "the number of program headers"))
    guard count == 0 || entrySize >= (wide ? 56 : 32) else {
      throw .unsupportedELF(reason: "its program headers have \(entrySize) bytes, too few for their class")
    }
    // Beyond the file's size no header can begin, so this sum cannot overflow.
    guard table <= UInt64(image.count) || count == 0 else { throw .truncated(what: "the program header table") }
    var segments: [Segment] = []
    for index in 0..<count {
      let header = table + index * entrySize
      let name = "program header \(index)"
      guard try image.load(UInt32.self, at: header, name) == type else { continue }
      let segment = Segment(
        offset: try word(image, fileClass, at: header + 4, header + 8, name),
        address: try word(image, fileClass, at: header + 12, header + 24, name),
        fileSize: try word(image, fileClass, at: header + 16, header + 32, name),
        memorySize: try word(image, fileClass, at: header + 20, header + 40, name))
      let (end, wraps) = segment.offset.addingReportingOverflow(segment.fileSize)
      guard !wraps, end <= UInt64(image.count) else { throw .truncated(what: "the end of segment \(index)") }
      guard segment.fileSize <= segment.memorySize else {
        throw .unsupportedELF(reason: "segment \(index) is larger in the file than in memory")
      }
      segments.append(segment)
    }
    return segments
  }

  /// A field that has 4 bytes in a 32-bit file and 8 in a 64-bit one, at different offsets.
  private static func word(
    _ image: ImageBytes, _ fileClass: Class, at narrow: UInt64, _ wide: UInt64, _ what: String
  ) throws(ImageError) -> UInt64 {
    switch fileClass {
    case .bits32: UInt64(try image.load(UInt32.self, at: narrow, what))
    case .bits64: try image.load(UInt64.self, at: wide, what)
    }
  }

  private static func typeName(_ type: UInt16) -> String {
    switch type {
    case 1: "relocatable (ET_REL)"
    case 3: "shared or position-independent (ET_DYN)"
    case 4: "a core dump (ET_CORE)"
    default: "\(type)"
    }
  }
}

extension ELFFile {
  /// Where the segments go: at their physical addresses, which a 64-bit image enters in long mode.
  func plan(entry: LoadPlan.Entry) -> LoadPlan {
    LoadPlan(
      segments: segments.map {
        // The file range was checked against the image when the header was read.
        LoadPlan.Segment(
          address: $0.address, size: $0.memorySize, file: Int($0.offset)..<Int($0.offset + $0.fileSize))
      }, entry: entry)
  }
}
