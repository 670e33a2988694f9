import Testing

@testable import VMM

@Suite struct FlatImageTests {
  private static func plan(_ size: Int, at address: UInt64) throws(ImageError) -> LoadPlan {
    try GuestImage(name: "test", bytes: [UInt8](repeating: 0xf4, count: size)).plan(loadAddress: address)
  }

  @Test func `flat code goes where it is told and is entered at its first byte`() throws {
    let plan = try Self.plan(512, at: 0x7c00)
    #expect(plan.entry == .realMode(0x7c00))
    #expect(plan.segments == [LoadPlan.Segment(address: 0x7c00, size: 512, file: 0..<512)])
  }

  @Test func `it may end at 1 MiB and not beyond`() throws {
    #expect(try Self.plan(16, at: 0xffff0).entry == .realMode(0xffff0))
    #expect(try Self.plan(1 << 20, at: 0).segments[0].size == 1 << 20)
    #expect(throws: ImageError.unreachable(address: 0xffff0, size: 17)) { try Self.plan(17, at: 0xffff0) }
    #expect(throws: ImageError.unreachable(address: 1 << 20, size: 1)) { try Self.plan(1, at: 1 << 20) }
    #expect(throws: ImageError.unreachable(address: .max, size: 1)) { try Self.plan(1, at: .max) }
    #expect(throws: ImageError.empty) { try Self.plan(0, at: 0) }
    #expect(
      "\(ImageError.unreachable(address: 0xffff0, size: 17))"
        == "17 bytes at 0xffff0 reach beyond 1 MiB, where flat real-mode code has to end")
  }

  @Test func `an image of unknown format is told about the load address`() {
    #expect("\(ImageError.unknownFormat)".contains("--load-address"))
  }
}
