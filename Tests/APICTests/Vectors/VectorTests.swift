import APIC
import Testing

@Suite struct VectorTests {
  @Test func `the priority class is the upper nibble`() {
    #expect(Vector(0x71).priorityClass == 7)
  }

  @Test func `a vector of a higher number has the higher priority`() {
    let vectors: [Vector] = [0x31, 0xff, 0x30]
    #expect(vectors.max() == 0xff)
  }

  @Test(arguments: [(0x00, "0x00"), (0x08, "0x08"), (0xff, "0xff")] as [(Vector, String)])
  func `a vector is written in two hexadecimal digits`(vector: Vector, text: String) {
    #expect(vector.description == text)
  }

  @Test func `a number reads as in the manuals`() {
    #expect(hex(0x70) == "0x70")
    #expect(hex(UInt8(7), digits: 2) == "0x07")
    #expect(hex(UInt64.max) == "0xffffffffffffffff")
  }
}
