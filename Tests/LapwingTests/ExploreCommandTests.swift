import Testing

/// `lapwing explore`; faults of the model need no host that can run guests.
@Suite struct ExploreCommandTests {
  @Test func `a seeded fault is found, kept in a file, and shown again from it`() throws {
    let folder = try Folder()
    let found = try Program.run([
      "explore", "--fault", "lost-eoi", "--seed", "1", "--for", "60s", "-o", folder.path("h"),
    ])
    #expect(found.status == 1)
    #expect(found.output.hasPrefix("seed 1, the model with the fault lost-eoi"))
    #expect(found.output.contains("DIFFERENCE at register.eoi: vCPU  ISR"))
    #expect(found.output.contains("as source:"))
    let again = try Program.run(["explore", "--replay", folder.path("h")])
    #expect(again.status == 1)
    #expect(again.output.contains("the difference shows"))
  }

  @Test(.needsKVM) func `this host's KVM does as the model does`() throws {
    let explored = try Program.run([
      "explore", "--seed", "1", "--for", "2s", "--host-side", "--only", "line,msi,ioapic",
    ])
    #expect(explored.status == 0, "\(explored.output)")
    #expect(explored.output.contains("no difference"))
  }

  @Test(.needsKVM) func `a model without a deviation of this host shows it`() throws {
    let explored = try Program.run([
      "explore", "--seed", "1", "--for", "2s", "--host-side", "--without", "messageAddressIgnored", "--only", "msi",
    ])
    #expect(explored.status == 1)
    #expect(explored.output.contains("DIFFERENCE at msi.elsewhere: answer"))
  }

  @Test func `what makes no sense is refused`() throws {
    let folder = try Folder()
    try folder.write("{", to: "damaged")
    try folder.write(#"{"schema":"lapwing.run/1"}"#, to: "foreign")
    #expect(try Program.run(["explore", "--replay", folder.path("damaged")]).status == 65)
    #expect(try Program.run(["explore", "--replay", folder.path("foreign")]).status == 65)
    #expect(try Program.run(["explore", "--replay", folder.path("missing")]).status == 65)
    #expect(try Program.run(["explore", "--only", "nonsense"]).status == 64)
    #expect(try Program.run(["explore", "--fault", "nonsense"]).status == 64)
    #expect(try Program.run(["explore", "--only", "guest", "--host-side", "--fault", "lost-eoi"]).status == 64)
    #expect(try Program.run(["explore", "--list"]).output.contains("register.eoi"))
  }
}
