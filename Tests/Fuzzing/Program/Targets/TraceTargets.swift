import Support
import SystemPackage

@testable import Evidence

/// What the kernel's tracefs says, which is trusted no more than any other input.
extension FuzzTarget {
  /// The text of an event's or a page's format.
  static let traceFormat = FuzzTarget("trace-format", seeds: Array(formats.values)) { bytes in
    // Sound: the spans are not kept.
    _ = unsafe EventFormat(parsing: bytes.span.bytes)
    _ = unsafe PageFormat(parsing: bytes.span.bytes)
  }

  /// A page of a ring buffer, by the formats of Linux 6.12.
  static let tracePage = FuzzTarget("trace-page", seeds: pageSeeds) { bytes in
    guard let decoder else { return }
    var events: [TraceEvent] = []
    // Sound: the span is not kept.
    _ = unsafe decoder.decode(bytes.span.bytes, into: &events)
  }

  private static let decoder: EventDecoder? = {
    guard let text = formats["header_page"], let page = unsafe PageFormat(parsing: text.span.bytes) else { return nil }
    return EventDecoder(
      page: page,
      formats: Tracepoint.allCases.compactMap {
        formats["kvm/\($0.rawValue)/format"].flatMap { unsafe EventFormat(parsing: $0.span.bytes) }
      })
  }()

  /// A page with an event of each tracepoint, as long as an event without a length of its own may be.
  private static let pageSeeds: [[UInt8]] = {
    var page = [UInt8](repeating: 0, count: 16)
    for tracepoint in Tracepoint.allCases {
      guard let text = formats["kvm/\(tracepoint.rawValue)/format"],
        let format = unsafe EventFormat(parsing: text.span.bytes)
      else { continue }
      // type_len in words; the bits above it are the time since the event before.
      page += [28 | 0x20, 1, 0, 0, UInt8(truncatingIfNeeded: format.id), UInt8(truncatingIfNeeded: format.id >> 8)]
      page += (0..<110).map { UInt8(truncatingIfNeeded: $0 / 4) }
    }
    let size = min(page.count, 4096)
    page[8] = UInt8(truncatingIfNeeded: size - 16)
    page[9] = UInt8(truncatingIfNeeded: (size - 16) >> 8)
    return [Array(page.prefix(size)) + [UInt8](repeating: 0, count: 4096 - size)]
  }()

  /// The texts by their file's name, as the tests of Evidence keep them.
  private static let formats: [String: [UInt8]] = {
    let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
      .removingLastComponent()
    guard let bytes = try? HostFile.read(folder.appending("EvidenceTests/Formats/6.12.txt"), limit: 1 << 20) else {
      return [:]
    }
    var formats: [String: [UInt8]] = [:]
    var name = ""
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let text = String(decoding: line, as: UTF8.self)
      if text.hasPrefix("== ") {
        name = String(text.dropFirst(3))
      } else {
        formats[name, default: []] += line + [UInt8(ascii: "\n")]
      }
    }
    return formats
  }()
}
