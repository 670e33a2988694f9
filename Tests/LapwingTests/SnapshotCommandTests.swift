import Foundation
import TestImages
import Testing

/// Snapshots as a user takes them, each restored by another process.
@Suite(.needsKVM) struct SnapshotCommandTests {
  @Test(arguments: ["hello", "ipi", "ioapic", "msi", "timer"])
  func `a guest that is restored at a random point finishes with all its checks held`(_ guest: String) throws {
    let folder = try Folder()
    let file = folder.path("s.json")
    // The guests run for some 3 to 40 ms; a point after the end is no snapshot, and a try less.
    var restored = 0
    for _ in 0..<40 where restored < 3 {
      let microseconds = Int.random(in: 200...20_000)
      let snapshot = try Program.run([
        "snapshot", guest, "-c", "2", "--at", "\(microseconds)us", "-o", file, "--quiet",
      ])
      guard snapshot.status == 0 else {
        #expect(snapshot.status == 1)
        #expect(snapshot.errors.contains("ended before \(microseconds)us"), "\(snapshot.errors)")
        continue
      }
      let result = try Program.run(["restore", file])
      #expect(result.status == 0, "at \(microseconds) us: \(result.output)\(result.errors)")
      #expect(result.output.contains("\(guest): passed"))
      restored += 1
    }
    #expect(restored > 0)
  }

  @Test func `a snapshot at an exit goes on with the output that comes after it`() throws {
    let folder = try Folder()
    let guest = try GuestFile(
      ELFImage(code: Code(.long).print("one").print("two").print("three").debugExit(0).bytes).bytes)
    let snapshot = try Program.run(["snapshot", guest.path, "--at", "exit:6", "-o", folder.path("s.json"), "--quiet"])
    #expect(snapshot.status == 0, "\(snapshot.errors)")
    #expect(snapshot.output == "onetwo")
    let result = try Program.run(["restore", folder.path("s.json"), "--quiet"])
    #expect(result.status == 0)
    #expect(result.output == "three")
  }

  @Test func `a guest that waits for good comes to no exit, and is not waited for`() throws {
    let folder = try Folder()
    let guest = try GuestFile(ELFImage(code: Code(.long).print("so far").halt().bytes).bytes)
    let result = try Program.run([
      "snapshot", guest.path, "--at", "exit:100", "-o", folder.path("s.json"), "--timeout", "60s",
    ])
    #expect(result.status == 1)
    #expect(result.errors.contains("ended before exit:100: every vCPU waits, and nothing can wake one"))
    #expect(folder.names == [])
    // The time comes, whatever the guest does.
    let later = try Program.run(["snapshot", guest.path, "--at", "1s", "-o", folder.path("s.json"), "--quiet"])
    #expect(later.status == 0)
    #expect(try Program.run(["restore", folder.path("s.json"), "--timeout", "60s"]).status == 1)
  }

  @Test func `a snapshot at a mark has what came before it in its log`() throws {
    let folder = try Folder()
    let snapshot = try Program.run([
      "snapshot", "ipi", "-c", "2", "--at", "mark:unicast to halted vCPUs", "-o", folder.path("s.json"),
    ])
    #expect(snapshot.status == 0, "\(snapshot.errors)")
    #expect(snapshot.errors.contains("2 vCPUs and"))
    let result = try Program.run(["restore", folder.path("s.json")])
    #expect(result.status == 0)
    #expect(result.output.contains("7 checks held"))
  }

  @Test func `a restored guest is saved again, ten times over, and loses nothing`() throws {
    let folder = try Folder()
    let whole = try #require(try Program.run(["run", "msi"]).output.firstMatch(of: /\d+ checks held/)).output
    var from = "msi"
    for generation in 0...10 {
      let file = folder.path("\(generation).json")
      let snapshot = try Program.run(["snapshot", from, "--at", "exit:1", "-o", file])
      try #require(snapshot.status == 0, "generation \(generation): \(snapshot.errors)")
      from = file
    }
    let result = try Program.run(["restore", from])
    #expect(result.status == 0)
    #expect(result.output.contains(whole), "\(result.output)")
  }

  @Test func `what cannot be restored is refused with the place and 65`() throws {
    let folder = try Folder()
    _ = try Program.run(["snapshot", "hello", "--at", "exit:2", "-o", folder.path("s.json"), "--quiet"])
    let good = try folder.text("s.json")
    for (old, new, said) in [
      ("\"mpState\": \"runnable\"", "\"mpState\": \"resting\"", "vcpus[0].mpState: one of"),
      ("\"version\": \"1.4\"", "\"version\": \"3.0\"", "this program reads 1.x"),
      ("\"file\": \"s.json.memory\"", "\"file\": \"gone\"", "cannot read"),
      ("{", "[", "no JSON"),
      ("\"number\": 129,", "\"number\": 9129,", "settings.capabilities[0]: a state may not enable KVM_CAP_9129"),
    ] {
      try folder.write(good.replacingOccurrences(of: old, with: new), to: "bad.json")
      let result = try Program.run(["restore", folder.path("bad.json")])
      #expect(result.status == 65)
      #expect(result.errors.contains(said), "\(result.errors)")
    }
    #expect(try Program.run(["restore", folder.path("nothing.json")]).status == 65)
  }

  @Test func `a state that this host cannot take is refused with 69 and what differs`() throws {
    let folder = try Folder()
    _ = try Program.run(["snapshot", "hello", "--at", "exit:2", "-o", folder.path("s.json"), "--quiet"])
    let text = try folder.text("s.json")
      .replacingOccurrences(of: "\"arguments\": [\"0x3\"", with: "\"arguments\": [\"0x8003\"")
    try folder.write(
      text.replacingOccurrences(of: "\"msrs\": {", with: "\"msrs\": {\"0xdead\": \"0x1\", ")
        .replacingOccurrences(of: "\"kernel\": \"", with: "\"kernel\": \"99."), to: "other.json")
    let result = try Program.run(["restore", folder.path("other.json")])
    #expect(result.status == 69)
    #expect(result.errors.contains("\n  MSR 0xdead: the state has it, this host's KVM does not\n"))
    #expect(result.errors.contains("\n  KVM_CAP_X2APIC_API: this host's KVM has no flags 0x8000\n"))
    // What this host never has is not of this host.
    try folder.write(text, to: "this.json")
    let own = try Program.run(["restore", folder.path("this.json")])
    #expect(own.status == 65)
    #expect(own.errors.contains("KVM_CAP_X2APIC_API: this host's KVM has no flags 0x8000\n"))
  }

  @Test func `members of a newer version are named on standard error, and the guest goes on`() throws {
    let folder = try Folder()
    _ = try Program.run(["snapshot", "hello", "--at", "exit:2", "-o", folder.path("s.json"), "--quiet"])
    let text = try folder.text("s.json")
      .replacingOccurrences(of: "\"version\": \"1.4\"", with: "\"version\": \"1.5\", \"weather\": \"fair\"")
    try folder.write(text, to: "s.json")
    let result = try Program.run(["restore", folder.path("s.json")])
    #expect(result.status == 0)
    #expect(result.errors.contains("of version 1.5") && result.errors.contains("weather"), "\(result.errors)")
  }

  @Test func `a guest that has failed is kept as it was left, and one that has not is not`() throws {
    let folder = try Folder()
    let guest = try GuestFile(ELFImage(code: Code(.long).halt().bytes).bytes)
    let options = ["--snapshot-on", "failure", "--snapshot-file", folder.path("s%d.json"), "--timeout", "50s"]
    let failed = try Program.run(["run", guest.path] + options)
    #expect(failed.status == 1)
    #expect(failed.errors == "lapwing: snapshot in '\(folder.path("s1.json"))'\n")
    let shown = try Program.run(["inspect", folder.path("s1.json")])
    #expect(shown.status == 0 && shown.output.contains("vCPU 0: halted"), "\(shown.output)")
    // It goes on to the same end.
    let again = try Program.run(["restore", folder.path("s1.json")])
    #expect(again.status == 1 && again.output.contains("nothing can wake one"))
    #expect(try Program.run(["run", "hello"] + options).status == 0)
    #expect(folder.names.sorted() == ["s1.json", "s1.json.memory"])
  }

  @Test func `a signal takes snapshots of a guest that runs, into files with numbers`() throws {
    let folder = try Folder()
    let guest = try GuestFile(ELFImage(code: Code(.long).print("on\n").spin().bytes).bytes)
    let program = try Program([
      "run", guest.path, "--timeout", "50s", "--snapshot-on", "USR1", "--snapshot-file", folder.path("s%d.json"),
    ])
    #expect(program.wait { program.outputSoFar.contains("on") })
    for number in 1...2 {
      program.signal(SIGUSR1)
      #expect(program.wait { folder.names.contains("s\(number).json") })
    }
    program.signal(SIGTERM)
    let result = try program.result()
    #expect(result.status == 143)
    #expect(folder.names == ["s1.json", "s1.json.memory", "s2.json", "s2.json.memory"])
    #expect(result.errors.contains("the guest stood still for"))
    // Each goes on, and on.
    let restored = try Program.run(["restore", folder.path("s2.json"), "--timeout", "200ms"])
    #expect(restored.status == 124)
  }

  @Test func `one of the unit tests' PC keeps its devices`() throws {
    let folder = try Folder()
    // Fills the test device's latch, prints, and ends with what the latch shows but for that: in al, 0xe0; xor al, 0x55;
    // out 0xf4, al.
    let code = Code(.protected).out(0x55, to: 0xe0).print("before\n")
      .then([0xe4, 0xe0, 0x34, 0x55, 0xe6, 0xf4, 0xf4])
    let guest = try GuestFile(MultibootImage(code: code.bytes).bytes)
    let file = folder.path("s.json")
    let snapshot = try Program.run([
      "snapshot", guest.path, "--machine", "unittest", "--at", "exit:4", "-o", file, "--quiet",
    ])
    #expect(snapshot.status == 0, "\(snapshot.errors)")
    let restored = try Program.run(["restore", file, "--quiet"])
    #expect(restored.status == 0 && restored.errors == "", "\(restored.errors)")
    #expect((snapshot.output + restored.output) == "before\n")
    let shown = try Program.run(["inspect", file])
    #expect(shown.status == 0, "\(shown.errors)")
  }

  @Test func `wrong usage ends with 64`() throws {
    for arguments in [
      ["snapshot", "hello", "-o", "x"], ["snapshot", "hello", "--at", "never", "-o", "x"],
      ["snapshot", "hello", "--at", "exit:0", "-o", "x"], ["restore"],
      ["run", "hello", "--snapshot-on", "KILL"], ["run", "hello", "--snapshot-file", "a%d"],
      ["run", "hello", "--snapshot-on", "USR1", "--snapshot-file", "a"],
      ["snapshot", "hello", "--machine", "unittest", "--cpu", "qemu64,hv_synic,hv_vpindex", "--at", "1ms", "-o", "x"],
    ] {
      #expect(try Program.run(arguments).status == 64, "\(arguments)")
    }
  }
}
