import Testing

@testable import KVM

/// Statistics files byte by byte: what the kernel writes, and what it never should.
@Suite struct StatisticsLayoutTests {
  static func little(_ values: [UInt32]) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  }

  static func header(nameSize: UInt32 = 16, count: UInt32 = 1, descriptors: UInt32 = 24, data: UInt32 = 64) -> [UInt8] {
    little([0, nameSize, count, 24, descriptors, data])
  }

  /// `flags`: kind, unit and base; `shape`: exponent in the low half, count in the high half.
  static func descriptor(
    _ name: String, flags: UInt32 = 0, shape: UInt32 = 1 << 16, offset: UInt32 = 0, bucket: UInt32 = 0
  ) -> [UInt8] {
    little([flags, shape, offset, bucket]) + Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count)
  }

  static func layout(_ descriptors: [UInt8], count: UInt32) throws -> StatisticsLayout {
    try StatisticsLayout(StatisticsLayout.Header(header(count: count)), descriptors: descriptors)
  }

  @Test func `a descriptor is decoded field by field`() throws {
    let bytes = Self.descriptor("ns_hist", flags: 0x024, shape: 32 << 16 | 0xfff7, offset: 8)
    let layout = try Self.layout(Self.descriptor("exits") + bytes, count: 2)
    let descriptor = layout.descriptors[1]
    #expect(descriptor.name == "ns_hist")
    #expect(descriptor.kind == .logHistogram)
    #expect(descriptor.unit == .seconds)
    #expect(descriptor.exponent == -9)
    #expect(descriptor.base == 10)
    #expect(layout.valueCount == 33)
  }

  @Test func `counts are subtracted, states are not`() throws {
    let layout = try Self.layout(
      Self.descriptor("exits") + Self.descriptor("pages", flags: 1, offset: 8)
        + Self.descriptor("hist", flags: 3, shape: 2 << 16, offset: 16, bucket: 5), count: 3)
    let before = Statistics(layout, values: [10, 7, 1, 2])
    let delta = Statistics(layout, values: [15, 3, 4, 2]).delta(since: before)
    #expect(delta["exits"] == 5)
    #expect(delta["pages"] == 3)
    #expect(delta["hist"] == nil)
    #expect(delta.histogram("hist") == [3, 0])
    #expect(delta.descriptor("hist")?.kind == .linearHistogram(bucketSize: 5))
    #expect(delta.names == ["exits", "pages", "hist"])
    #expect(before.delta(since: Statistics(layout, values: [11, 0, 0, 0]))["exits"] == 0)
  }

  @Test func `a header that is cut short is refused`() {
    #expect(throws: StatisticsLayout.FormatError.shortHeader) {
      try StatisticsLayout.Header(Array(Self.header().dropLast()))
    }
  }

  @Test(arguments: [
    header(nameSize: 0), header(nameSize: .max), header(count: .max), header(descriptors: 8), header(data: 0),
  ])
  func `a header that makes no sense is refused`(bytes: [UInt8]) {
    #expect(throws: StatisticsLayout.FormatError.implausibleHeader) { try StatisticsLayout.Header(bytes) }
  }

  @Test func `descriptors that are cut short are refused`() {
    #expect(throws: StatisticsLayout.FormatError.shortDescriptors) {
      try Self.layout(Array(Self.descriptor("exits").dropLast()), count: 1)
    }
  }

  @Test(arguments: [
    descriptor("x", shape: 0), descriptor("x", offset: 4), descriptor("x", offset: 0x8000_0000), descriptor(""),
    descriptor("a name of 16 ch."),
  ])
  func `a descriptor that makes no sense is refused with its number`(bytes: [UInt8]) {
    #expect(throws: StatisticsLayout.FormatError.implausibleDescriptor(1)) {
      try Self.layout(Self.descriptor("exits") + bytes, count: 2)
    }
  }
}
