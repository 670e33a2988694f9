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
    #expect(found.errors.contains("found at ") && found.errors.contains("shown again in 10 of 10"), "\(found.errors)")
    #expect(found.output.contains("DIFFERENCE at register.eoi: vCPU  ISR"))
    #expect(found.output.contains("as source:"))
    #expect(found.output.contains("rules of the model that were not met"))
    let again = try Program.run(["explore", "--replay", folder.path("h")])
    #expect(again.status == 1)
    #expect(again.output.contains("the difference shows"))
  }

  @Test func `what was met is reported as JSON, with the finding`() throws {
    let folder = try Folder()
    let found = try Program.run([
      "explore", "--fault", "lost-eoi", "--seed", "1", "--for", "60s", "--report", folder.path("r"),
    ])
    #expect(found.status == 1)
    let report = try folder.text("r")
    for part in [
      #""schema":"lapwing.exploration/1""#, #""seed":"1""#, #""signature":"register.eoi: vCPU  ISR""#,
      #""rule":"edgeAccepted""#, #""missing":["#, #""origin":{"#,
    ] {
      #expect(report.filter { !$0.isWhitespace }.contains(part.filter { !$0.isWhitespace }), "\(part)")
    }
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

  @Test(.needsKVM, .needsTracepoints) func `a replay shows the kernel's events of each step`() throws {
    let folder = try Folder()
    try folder.write(
      """
      {"schema":"lapwing.history/1","machine":{"vcpus":1,"startsInX2APIC":true},"steps":[
      {"do":"msi.send","vector":"0x40","destination":"0x0","logical":"0x0","mode":"0x0","level":"0x0","asserted":"0x1","hint":"0x0"}]}
      """, to: "history")
    let told = try Program.run(["explore", "--replay", folder.path("history"), "--trace"])
    #expect(told.status == 0, "\(told.output)")
    #expect(told.output.contains("kvm_apic_accept_irq: vCPU 0, vector 0x40, Fixed"))
    #expect(told.output.contains("no difference"))
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
    #expect(try Program.run(["explore", "--trace"]).status == 64)
    #expect(
      try Program.run(["explore", "--replay", folder.path("history"), "--report", folder.path("r")]).status == 64)
    #expect(try Program.run(["explore", "--list"]).output.contains("register.eoi"))
  }
}
