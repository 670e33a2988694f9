import KVM
import Testing

@Suite struct APIVersionTests {
  @Test func `the library speaks API version 12, the only one there is`() {
    #expect(KVM.apiVersion == 12)
  }
}
