import APIC
import Foundation
import KVM
import MachineState
import Reports
import Rules
import TestImages
import TestStates
import Testing

/// `lapwing inspect --check` and `--rules`, and what `restore` says beforehand.
@Suite struct CheckCommandTests {
  private func withFile(_ state: MachineState, _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString).json")
    try Data(StateDocument(state).text).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
  }

  private var contradictory: MachineState {
    var state = MadeUpMachine.state()
    state.irqfds = [IRQFDState(gsi: 99)]
    state.vcpus[1].localAPIC[.errorStatus] = 0x40
    return state
  }

  @Test func `--check says by its status whether there is a contradiction`() throws {
    try withFile(MadeUpMachine.state()) { file in
      let result = try Program.run(["inspect", "--check", file])
      #expect(result.status == 0)
      #expect(result.output == "nothing was found\n")
    }
    try withFile(contradictory) { file in
      let result = try Program.run(["inspect", "--check", file])
      #expect(result.status == 1)
      #expect(result.output.hasPrefix("contradiction irqfd.no-route, events: irqfd 0 raises GSI 99"))
      #expect(result.output.contains("hint esr.errors, vCPU 1: ESR 0x40"))
      #expect(result.output.hasSuffix("1 contradiction, 1 hint\n"))
      let text = try Program.run(["inspect", "--check", file, "--format", "json"]).output
      let report = try JSONDocument.read(FindingsReport.self, schema: FindingsReport.schema, from: Array(text.utf8))
      #expect(report.findings.map(\.rule) == ["irqfd.no-route", "esr.errors"])
    }
  }

  @Test func `a suspicion alone is no failure`() throws {
    var state = MadeUpMachine.state()
    state.vcpus[1].mpState = .halted
    state.vcpus[1].registers.rflags = 2
    try withFile(state) { file in
      let result = try Program.run(["inspect", "--check", file])
      #expect(result.status == 0)
      #expect(result.output.contains("suspicion halt.interrupts-off"))
    }
  }

  @Test func `the findings stand above everything else that is shown`() throws {
    try withFile(contradictory) { file in
      let result = try Program.run(["inspect", file])
      #expect(result.status == 0)
      let finding = try #require(result.output.firstRange(of: "contradiction irqfd.no-route"))
      let vcpu = try #require(result.output.firstRange(of: "\nvCPU 0: "))
      #expect(finding.lowerBound < vcpu.lowerBound)
    }
  }

  @Test(.needsKVM) func `snapshot and restore tell of contradictions, the latter before the guest runs`() throws {
    let folder = try Folder()
    let guest = try GuestFile(ELFImage(code: Code(.long).print("one").print("two").debugExit(0).bytes).bytes)
    let file = folder.path("s.json")
    let snapshot = try Program.run(["snapshot", guest.path, "--at", "exit:3", "-o", file, "--quiet"])
    #expect(snapshot.status == 0 && snapshot.errors == "", "\(snapshot.errors)")
    let sound = try Program.run(["restore", file, "--quiet"])
    #expect(sound.status == 0 && sound.output == "two" && sound.errors == "", "\(sound.errors)")
    // KVM takes a CPUID with the APIC id of another vCPU; a guest trips over it.
    var state = try StateDocument(text: Array(try Data(contentsOf: URL(filePath: file)))).state
    let leaf = try #require(state.vcpus[0].cpuid.firstIndex { $0.function == 1 })
    state.vcpus[0].cpuid[leaf].ebx = state.vcpus[0].cpuid[leaf].ebx & 0xff_ffff | 7 << 24
    try Data(StateDocument(state).text).write(to: URL(filePath: file))
    let warned = try Program.run(["restore", file, "--quiet"])
    #expect(warned.status == 0 && warned.output == "two")
    #expect(
      warned.errors == """
        lapwing: '\(file)': vCPU 0: vCPU id 0; CPUID.01H:EBX[31:24] is 7 (id.cpuid)
        lapwing: the guest may hang; 'lapwing inspect --check \(file)' says why

        """)
    // What is wrong stays wrong in a snapshot of the restored guest.
    let again = try Program.run(["snapshot", file, "--at", "exit:1", "-o", folder.path("t.json"), "--quiet"])
    #expect(again.status == 0 && again.errors.contains("t.json': vCPU 0: vCPU id 0"), "\(again.errors)")
  }

  @Test func `docs/rules.md is what --rules prints`() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/rules.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(
      text == RulesReport().markdown + "\n", "run: swift run lapwing inspect --rules --format markdown > docs/rules.md")
    let human = try Program.run(["inspect", "--rules"])
    #expect(human.status == 0)
    for rule in Rule.all { #expect(human.output.contains("\n\(rule.name): ") || human.output.hasPrefix(rule.name)) }
  }

  @Test func `options that say different things are wrong usage`() throws {
    for arguments in [
      ["inspect"], ["inspect", "--rules", "x"], ["inspect", "x", "--format", "markdown"],
      ["inspect", "x", "--check", "--vcpu", "0"], ["inspect", "x", "--page", "--from", "qemu"],
      ["inspect", "x", "--from", "nonsense"],
    ] {
      #expect(try Program.run(arguments).status == 64, "\(arguments)")
    }
  }
}
