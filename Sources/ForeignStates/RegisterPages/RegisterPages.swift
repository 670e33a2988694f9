public import APIC
import MachineState
import Support

/// Register pages of local APICs in a file: 1024 bytes each (`struct kvm_lapic_state`), or pages of 4 KiB (virtual-APIC
/// pages, SDM volume 3C, 30.1) that have the same registers at their beginning.
enum RegisterPages {
  /// The size of a whole page.
  static let wholePage = 4096
  /// More vCPUs than a machine can have.
  static let sizeLimit = 4096 * wholePage

  /// The pages in a file.
  ///
  /// - Parameters:
  ///   - bytes: the file.
  ///   - size: 1024 or 4096; nil to tell it by the content.
  static func pages(_ bytes: [UInt8], size: Int?) throws(ForeignStateError) -> [LocalAPICState] {
    let size = if let size { size } else { try Self.size(bytes) }
    guard !bytes.isEmpty, bytes.count % size == 0 else {
      throw ForeignStateError(
        .pages, at: UInt64(bytes.count), "\(size) bytes expected for each page, not \(bytes.count) in all")
    }
    guard bytes.count <= sizeLimit else { throw ForeignStateError(.pages, "at most 4096 pages expected") }
    var pages: [LocalAPICState] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      do throws(MalformedState) {
        pages.append(try LocalAPICState(page: Array(bytes[start..<start + LocalAPICState.pageSize])))
      } catch {
        throw ForeignStateError(.pages, at: UInt64(start), "\(error)")
      }
    }
    return pages
  }

  /// The size of the pages, told by the version register, which no local APIC has as 0, and by what lies behind.
  private static func size(_ bytes: [UInt8]) throws(ForeignStateError) -> Int {
    let small = LocalAPICState.pageSize
    // One page needs no telling.
    guard bytes.count > small else { return small }
    func hasVersion(_ start: Int) -> Bool { bytes.littleEndian(UInt32.self, at: start + 0x30) ?? 0 != 0 }
    func isEmpty(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy { $0 == 0 } }
    let isOfSmall = bytes.count % small == 0 && stride(from: 0, to: bytes.count, by: small).allSatisfy(hasVersion)
    let isOfWhole =
      bytes.count % wholePage == 0
      && stride(from: 0, to: bytes.count, by: wholePage).allSatisfy { isEmpty($0 + small..<$0 + wholePage) }
    guard isOfSmall != isOfWhole else {
      throw ForeignStateError(
        .pages, at: UInt64(small),
        "pages of 1024 bytes that all have a version, or of 4096 that are 0 from byte 0x400 on, "
          + "expected: --from page or "
          + "--from apic-page says which they are")
    }
    return isOfSmall ? small : wholePage
  }
}

extension InspectableState {
  /// The register pages of local APICs alone (`struct kvm_lapic_state`).
  ///
  /// - Parameter pages: the pages, one a vCPU.
  public init(pages: [LocalAPICState]) {
    self.init(format: .pages)
    for (index, page) in pages.enumerated() {
      var vcpu = InspectableVCPU(unknown: index)
      vcpu.set(page: page)
      append(vcpu)
    }
  }
}

/// Bytes that were written as hexadecimal digits: by `xxd`, `hexdump -C`, `hexdump`, `od -t x1` or `od -x`, or as digits
/// alone.
enum HexDump {
  /// A page of 4 KiB takes less than 20 KiB in any of these forms.
  static let sizeLimit = 1 << 20

  /// The bytes of a dump; nil for a text that is none.
  static func bytes(_ text: [UInt8]) -> [UInt8]? {
    guard text.count <= sizeLimit else { return nil }
    let lines = text.split { $0 == 0x0a || $0 == 0x0d }.map { Substring(decoding: $0, as: UTF8.self).trimmed }
      .filter { !$0.isEmpty }
    guard !lines.isEmpty else { return nil }
    // od counts in octal: its offsets are right that way alone.
    return digits(lines) ?? dump(lines, radix: 16) ?? dump(lines, radix: 8)
  }

  /// Digits alone, as a string of a JSON document has them, too.
  private static func digits(_ lines: [Substring]) -> [UInt8]? {
    let digits = lines.joined().filter { $0 != "\"" && $0 != "," && $0 != " " }
    guard lines.allSatisfy({ !$0.contains(" ") }), digits.allSatisfy(\.isHexDigit) else { return nil }
    return Hexadecimal.bytes(digits)
  }

  /// Lines with an offset, the bytes, and maybe the same as characters; a line of `*` stands for more of the line above.
  private static func dump(_ lines: [Substring], radix: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    var repeats = false
    var last: [UInt8] = []
    for line in lines {
      if line == "*" {
        repeats = true
        continue
      }
      let hasColon = line.prefix { $0 != " " }.last == ":"
      let offset = line.prefix { $0.isHexDigit }
      guard !offset.isEmpty, let row = row(line.dropFirst(offset.count), hasColon: hasColon) else { return nil }
      guard let place = UInt64(offset, radix: radix) else { return nil }
      if repeats {
        // The next offset says how often.
        guard !last.isEmpty, place <= UInt64(sizeLimit) else { return nil }
        while UInt64(bytes.count) < place { bytes += last }
        repeats = false
      }
      guard place == UInt64(bytes.count) else { return nil }
      bytes += row
      last = row
    }
    return repeats || bytes.isEmpty ? nil : bytes
  }

  /// The bytes of a line behind its offset.
  private static func row(_ rest: Substring, hasColon: Bool) -> [UInt8]? {
    var digits = rest.drop { $0 == ":" }
    if let bar = digits.firstIndex(of: "|") { digits = digits[..<bar] }
    // xxd has two blanks before the characters.
    if hasColon, let gap = digits.firstRange(of: "  ") { digits = digits[..<gap.lowerBound] }
    var bytes: [UInt8] = []
    for word in digits.split(separator: " ") {
      guard let group = Hexadecimal.bytes(String(word)), !group.isEmpty else { return nil }
      // Without a colon groups of two bytes are words of a little-endian machine.
      bytes += !hasColon && group.count == 2 ? group.reversed() : group
    }
    return bytes.count <= 64 ? bytes : nil
  }
}
