import APIC
import Testing

@Suite struct DestinationTests {
  @Test func `a destination is a mode and an identifier`() {
    let destination = Destination(300, mode: .logical)
    #expect(destination == .logical(300))
    #expect(destination.mode == .logical)
    #expect(destination.identifier == 300)
    #expect(Destination(0, mode: .physical) == .physical(0))
  }

  @Test(arguments: [(0, 0x0000_0001), (15, 0x0000_8000), (16, 0x0001_0001), (300, 0x0012_1000)] as [(UInt32, UInt32)])
  func `the logical ID follows from the x2APIC ID`(id: UInt32, logicalID: UInt32) {
    #expect(Destination.x2APICLogicalID(of: id) == logicalID)
    #expect(Destination.x2APICLogical(id: id) == .logical(logicalID))
  }

  @Test func `an x2APIC ID above 20 bits has the logical ID of its low 20 bits`() {
    #expect(Destination.x2APICLogicalID(of: 0xfff0_0012) == Destination.x2APICLogicalID(of: 0x12))
  }

  @Test func `a cluster and its members make a logical destination`() {
    #expect(Destination.x2APICCluster(cluster: 0x12, members: 0x1001) == .logical(0x0012_1001))
    #expect(Destination.xAPICCluster(cluster: 2, members: 0b0101) == .logical(0x25))
    #expect(Destination.xAPICFlat(members: 0b1000_0001) == .logical(0x81))
  }

  @Test func `8 bits of ones are everyone only to xAPICs`() {
    #expect(Destination.xAPICBroadcast.isBroadcast(in: .xAPIC))
    #expect(!Destination.xAPICBroadcast.isBroadcast(in: .x2APIC))
    #expect(Destination.x2APICBroadcast.isBroadcast(in: .x2APIC))
    #expect(Destination.logical(0xff).isBroadcast(in: .xAPIC))
  }

  @Test func `an ID is written in decimal, a set of members in hexadecimal`() {
    #expect(Destination.physical(300).description == "physical 300")
    #expect(Destination.logical(0x12_1000).description == "logical 0x121000")
  }
}
