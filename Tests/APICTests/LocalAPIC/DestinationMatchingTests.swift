import APIC
import Testing

@Suite struct DestinationMatchingTests {
  private func xAPIC(id: UInt32, logicalID: UInt32 = 0, format: DestinationFormat = .flat) -> LocalAPICState {
    var state = LocalAPICState()
    state.setID(id, mode: .xAPIC)
    state.setLogicalID(logicalID, mode: .xAPIC)
    state.setDestinationFormat(format)
    return state
  }

  private func isDestination(
    _ state: LocalAPICState, _ destination: Destination, _ mode: APICMode, id: UInt32, fromDevice: Bool = false,
    quirk: Bool = true
  ) -> Bool {
    state.isDestination(
      destination, mode: mode, id: id, isInterprocessor: !fromDevice, hasBroadcastQuirk: quirk)
  }

  @Test func `an ID is its own, 0xff is everyone's in xAPIC mode`() {
    let state = xAPIC(id: 3)
    #expect(isDestination(state, .physical(3), .xAPIC, id: 3))
    #expect(!isDestination(state, .physical(2), .xAPIC, id: 3))
    #expect(isDestination(state, .physical(0xff), .xAPIC, id: 3))
    #expect(isDestination(state, .logical(0xff), .xAPIC, id: 3))
  }

  @Test func `a processor whose ID has more than 8 bits is found by it in xAPIC mode too`() {
    let state = xAPIC(id: 0x101 & 0xff)
    #expect(isDestination(state, .physical(0x101), .xAPIC, id: 0x101))
    #expect(!isDestination(state, .physical(0x201), .xAPIC, id: 0x101))
  }

  @Test func `the flat model compares bits, the cluster model the cluster and then bits`() {
    let flat = xAPIC(id: 0, logicalID: 0b0001_0000)
    #expect(isDestination(flat, .logical(0b0011_0000), .xAPIC, id: 0))
    #expect(!isDestination(flat, .logical(0b0010_0000), .xAPIC, id: 0))
    let cluster = xAPIC(id: 0, logicalID: 0x22, format: .cluster)
    #expect(isDestination(cluster, .logical(0x23), .xAPIC, id: 0))
    #expect(!isDestination(cluster, .logical(0x33), .xAPIC, id: 0))
    #expect(!isDestination(cluster, .logical(0x21), .xAPIC, id: 0))
  }

  @Test func `a format that is neither model matches nothing but everyone`() {
    var state = xAPIC(id: 0, logicalID: 1)
    state[.destinationFormat] = 0x5fff_ffff
    #expect(!isDestination(state, .logical(1), .xAPIC, id: 0))
    #expect(isDestination(state, .logical(0xff), .xAPIC, id: 0))
  }

  @Test func `in x2APIC mode the logical ID follows from the ID`() {
    let state = LocalAPICState()
    #expect(isDestination(state, .logical(0x0001_0008), .x2APIC, id: 0x13))
    #expect(!isDestination(state, .logical(0x0001_0004), .x2APIC, id: 0x13))
    #expect(!isDestination(state, .logical(0x0002_0008), .x2APIC, id: 0x13))
    #expect(isDestination(state, .physical(0xffff_ffff), .x2APIC, id: 0x13))
  }

  @Test func `0xff reaches x2APICs from a device only, and only with KVM's quirk`() {
    let state = LocalAPICState()
    #expect(isDestination(state, .physical(0xff), .x2APIC, id: 1, fromDevice: true))
    #expect(!isDestination(state, .physical(0xff), .x2APIC, id: 1, fromDevice: true, quirk: false))
    #expect(!isDestination(state, .physical(0xff), .x2APIC, id: 1))
    #expect(isDestination(state, .physical(0xff), .x2APIC, id: 0xff))
  }

  @Test(arguments: [APICMode.disabled, .invalid])
  func `a disabled local APIC is nobody's destination`(mode: APICMode) {
    #expect(!isDestination(xAPIC(id: 0), .physical(0), mode, id: 0))
    #expect(!isDestination(xAPIC(id: 0), .physical(0xff), mode, id: 0))
  }
}
