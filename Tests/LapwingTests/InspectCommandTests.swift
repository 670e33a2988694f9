import APIC
import Foundation
import KVM
import MachineState
import Reports
import TestStates
import Testing

/// `lapwing inspect` and `lapwing diff`, which need no host that can run guests.
@Suite struct InspectCommandTests {
  /// A file with those bytes, for as long as the body runs.
  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString).json")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
  }

  private func document(_ state: MachineState) -> [UInt8] { StateDocument(state).text }

  private func run(_ arguments: [String]) throws -> Program.Result { try Program.run(arguments) }

  @Test func `a snapshot is shown, or one vCPU of it, or one register`() throws {
    try withFile(document(MadeUpMachine.busy())) { file in
      let all = try run(["inspect", file])
      #expect(all.status == 0)
      #expect(all.errors == "")
      #expect(all.output.contains("vCPU 1: halted, x2APIC, APIC id 1\n"))
      #expect(all.output.contains("lines: where each GSI leads\n"))
      #expect(!all.output.contains("\u{1b}"))
      let one = try run(["inspect", file, "--vcpu", "1"])
      #expect(!one.output.contains("vCPU 0:"))
      let register = try run(["inspect", file, "--vcpu", "0", "--register", "tpr"])
      #expect(register.output.hasPrefix("vCPU 0 TPR: 0x00\n"))
    }
  }

  @Test func `--format json is a document and nothing else`() throws {
    try withFile(document(MadeUpMachine.busy())) { file in
      let text = try run(["inspect", file, "--format", "json"]).output
      let inspection = try JSONDocument.read(Inspection.self, schema: Inspection.schema, from: Array(text.utf8))
      #expect(inspection == Inspection(MadeUpMachine.busy()))
      let register = try run(["inspect", file, "--register", "IRR", "--format", "json"]).output
      let selection = try JSONDocument.read(
        RegisterSelection.self, schema: RegisterSelection.schema, from: Array(register.utf8))
      #expect(selection.registers.map(\.owner) == ["vCPU 0", "vCPU 1", "PIC 0", "PIC 1"])
    }
  }

  @Test func `a register page is shown for what it is`() throws {
    try withFile(MadeUpMachine.busy().vcpus[0].localAPIC.bytes) { file in
      let result = try run(["inspect", file])
      #expect(result.status == 0)
      #expect(result.output.hasPrefix("local APIC: x2APIC, APIC id 0\n"))
      #expect(try run(["inspect", file, "--apic", "xapic"]).output.hasPrefix("local APIC: xAPIC"))
      #expect(try run(["inspect", file, "--vcpu", "0"]).status == 64)
    }
  }

  @Test func `what a file does not have is wrong usage, with what it has`() throws {
    try withFile(document(MadeUpMachine.state())) { file in
      for vcpu in ["2", "-1"] {
        let result = try run(["inspect", file, "--vcpu=\(vcpu)"])
        #expect(result.status == 64)
        #expect(result.errors.contains("has vCPUs 0 to 1"))
      }
      let register = try run(["inspect", file, "--register", "NONSENSE"])
      #expect(register.status == 64)
      #expect(register.errors.contains("has no register 'NONSENSE'"))
      #expect(try run(["inspect", file, "--apic", "xapic"]).status == 64)
    }
  }

  @Test func `a bad file is status 65, with the place in it`() throws {
    var text = String(decoding: document(MadeUpMachine.state()), as: UTF8.self)
    text.replace("\"id\": \"0x1\"", with: "\"id\": \"0x7\"")
    for (bytes, problem) in [
      ([], "line 1"), (Array("{}".utf8), "format"), (Array(text.utf8), "vcpus[1].id"),
      (Array("  { ".utf8), "line 1"),
    ] as [([UInt8], String)] {
      try withFile(bytes) { file in
        for arguments in [["inspect", file], ["diff", file, file]] {
          let result = try run(arguments)
          #expect(result.status == 65)
          #expect(!result.wasKilled)
          #expect(result.output == "")
          #expect(result.errors.contains("is not a machine's state"))
          #expect(result.errors.contains(problem), "\(result.errors)")
        }
      }
    }
    #expect(try run(["inspect", "/nonexistent"]).status == 65)
    try withFile([UInt8](repeating: 0, count: 1000)) { file in
      let result = try run(["inspect", file])
      #expect(result.status == 65)
      #expect(result.errors.contains("is not register pages of local APICs"))
    }
    try withFile(document(MadeUpMachine.state())) { file in
      let result = try run(["inspect", file, "--page"])
      #expect(result.status == 65)
      #expect(result.errors.contains("1024 bytes expected"))
    }
  }

  @Test func `diff says by its status whether two states are the same`() throws {
    try withFile(document(MadeUpMachine.state())) { first in
      let same = try run(["diff", first, first])
      #expect(same.status == 0)
      #expect(same.output == "the same state; memory was not compared\n")
      try withFile(document(MadeUpMachine.busy())) { second in
        let different = try run(["diff", first, second])
        #expect(different.status == 1)
        #expect(different.output.contains("  IRR                {} -> {0x60} (+0x60)\n"))
        let text = try run(["diff", first, second, "--format", "json"]).output
        let report = try JSONDocument.read(
          DifferenceReport.self, schema: DifferenceReport.schema, from: Array(text.utf8))
        #expect(report == DifferenceReport(MadeUpMachine.state(), MadeUpMachine.busy()))
      }
      try withFile(MadeUpMachine.state().vcpus[0].localAPIC.bytes) { page in
        let alike = try run(["diff", page, page])
        #expect(alike.status == 0)
        let unlike = try run(["diff", page, first])
        #expect(unlike.status == 65)
      }
    }
  }
}
