import APIC
import Testing

@Suite struct VectorTests {
  @Test func `the priority class is the upper nibble`() {
    #expect(Vector(0x71).priorityClass == 7)
  }
}
