import Foundation
import KVM
import Reports
import TestImages
import Testing
import VMM

/// What the commands print, for people and for programs.
@Suite struct FormatTests {
  private func succeed(_ arguments: [String]) throws -> String {
    let result = try Program.run(arguments)
    #expect(result.status == 0)
    #expect(result.errors == "")
    #expect(!result.output.contains("\u{1b}"))
    return result.output
  }

  @Test(.needsKVM) func `run shows what the guest prints, what it checks and the interrupts it took`() throws {
    let text = try succeed(["run", "ipi", "-c", "2"])
    #expect(text.contains("ok     unicast IPI to each halted vCPU"))
    #expect(text.contains(#/0x60 +0 +1 /#))
    #expect(text.contains("ipi: passed; the guest finished; 7 checks held; "))
  }

  /// What every report has.
  private struct Originated: Decodable { var origin: ReportOrigin }

  @Test(
    .needsKVM,
    arguments: [
      ["run", "hello"], ["test", "ipi.self.xapic"], ["bench", "tsc", "--rounds", "1", "--samples", "20"], ["doctor"],
    ])
  func `a report says which program wrote it, and where`(arguments: [String]) throws {
    let version = try #require(try succeed(["--version"]).split(separator: "\n").first)
    let text = try Program.run(arguments + ["--format", "json"]).output
    let origin = try JSONDecoder().decode(Originated.self, from: Data(text.utf8)).origin
    #expect(version == origin.commit.map { "\(origin.version) (\($0))" } ?? origin.version)
    #expect(origin.kernel == HostSurvey.take().kernelRelease && origin.processor?.isEmpty == false)
  }

  @Test(.needsKVM, arguments: ["ktap", "junit"])
  func `reports for other programs say it in a line`(format: String) throws {
    let text = try Program.run(["test", "ipi.self.xapic", "--format", format]).output
    #expect(text.contains("lapwing \(try succeed(["--version"]).prefix { $0 != "\n" }) on "), "\(text)")
  }

  @Test(.needsKVM) func `run --format json is one document and nothing else`() throws {
    let text = try succeed(["run", "hello", "--format", "json", "-c", "2", "-m", "32M", "--irqchip", "split"])
    let report = try JSONDecoder().decode(RunReport.self, from: Data(text.utf8))
    #expect(report.schema == "lapwing.run/1")
    #expect(report.success)
    #expect(report.outcome.kind == .finished)
    #expect(report.machine.vcpus == 2)
    #expect(report.machine.memory == 32 << 20)
    #expect(report.machine.irqchip == .split)
    #expect(report.machine.profile == "standard" && report.machine.cpu == nil)
    #expect(report.console.text == "Hello from ring 0.\n")
    #expect(report.interrupts.map(\.vector) == [0x30])
    #expect(report.vcpuStatistics.count == 2)
    #expect(try #require(report.vcpuStatistics[0]["exits"]) > 0)
    #expect(report.vcpus.isEmpty)
    #expect(try #require(report.times.firstInstruction) <= report.times.end)
    #expect(report.times.start > 0)
  }

  @Test(
    .needsKVM,
    arguments: [
      (["--cpu", "qemu64,-x2apic"], "standard", "qemu64,-x2apic", "xapic"),
      (["--cpu", "qemu64,umip=on", "--apic", "xapic"], "standard", "qemu64,+umip", "x2apic"),
      (["--machine", "unittest"], "unittest", "qemu64", "x2apic"),
      (["--machine", "unittest", "--cpu", "max"], "unittest", "max", "x2apic"),
    ])
  func `run --format json names the machine and the processor, which decides on x2APIC`(
    options: [String], profile: String, cpu: String, apic: String
  ) throws {
    let text = try succeed(["run", "multiboot-hello", "--format", "json"] + options)
    let machine = try JSONDecoder().decode(RunReport.self, from: Data(text.utf8)).machine
    #expect([machine.profile, machine.cpu, machine.apic.rawValue] == [profile, cpu, apic])
  }

  @Test(.needsTracepoints) func `run --trace has a journey for each interrupt that the guest wrote down`() throws {
    let result = try Program.run(["run", "ipi", "-c", "2", "--trace", "--format", "json"])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(RunReport.self, from: Data(result.output.utf8))
    let trace = try #require(report.trace)
    #expect(trace.journeys.count == report.interrupts.reduce(0) { $0 + $1.count })
    let halted = try #require(trace.journeys.first { $0.vector == 0x60 })
    #expect(halted.vcpu == 1 && halted.source == .ipi && halted.sender == 0)
    let accepted = try #require(halted.accepted)
    #expect(accepted < halted.taken ?? .min)
    #expect(halted.path != nil)
    #expect(trace.lostEvents == 0 && trace.unknownEvents == 0)
    #expect(try succeed(["run", "ipi", "-c", "2", "--trace"]).contains("how they got there\n  vector  vCPU"))
  }

  @Test(.needsTracepoints) func `run --trace shows the interrupt of a guest that writes down nothing`() throws {
    let image = try GuestFile(MultibootImage.interruptingItself.bytes)
    let result = try Program.run(["run", image.path, "--apic", "xapic", "--trace", "--format", "json"])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(RunReport.self, from: Data(result.output.utf8))
    let trace = try #require(report.trace)
    #expect(report.interrupts.isEmpty)
    // APICv sends an interrupt to itself without KVM.
    let hasAPICv = HostSurvey.take()[.apicv].state == .available
    #expect(hasAPICv || trace.journeys.map(\.vector) == [0x40])
    for journey in trace.journeys {
      #expect(journey.source == .ipi && journey.sender == 0)
      #expect(journey.accepted != nil && journey.taken == nil && journey.path != nil)
    }
    #expect(trace.lostEvents == 0)
  }

  @Test(.needsTracepoints) func `restore --trace leaves out what the guest took before`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lapwing-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("s.json").path
    let mark = "mark:irqfd through an MSI route"
    #expect(try Program.run(["snapshot", "msi", "--at", mark, "-o", file, "--quiet"]).status == 0)
    let result = try Program.run(["restore", file, "--trace", "--format", "json"])
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONDecoder().decode(RunReport.self, from: Data(result.output.utf8))
    #expect(report.interrupts.map(\.vector) == [0x42, 0x52])
    let journeys = try #require(report.trace).journeys
    #expect(journeys.map(\.vector) == [UInt8](repeating: 0x52, count: 10))
    #expect(journeys.allSatisfy { $0.path != nil })
  }

  @Test(.needsKVM) func `run --quiet shows what the guest prints alone, run --stats everything`() throws {
    #expect(try succeed(["run", "hello", "--quiet"]) == "Hello from ring 0.\n")
    #expect(try succeed(["run", "hello", "--stats"]).contains("insn_emulation"))
  }

  @Test func `list names the guests`() throws {
    let text = try succeed(["list"])
    #expect(text.contains(/(?m)^hello +Prints a line/))
    let list = try JSONDecoder().decode(GuestList.self, from: Data(succeed(["list", "--format", "json"]).utf8))
    #expect(list.schema == "lapwing.guests/1")
    #expect(list.guests.map(\.name).contains("multiboot-hello"))
    #expect(text.split(separator: "\n").count == list.guests.count)
  }

  @Test func `doctor says what only trying tells, and what it means for guests`() throws {
    let report = try JSONDecoder().decode(
      DoctorReport.self, from: Data(try succeed(["doctor", "--probe", "--format", "json"]).utf8))
    let traits = try #require(report.traits)
    #expect(traits.count > 10)
    #expect(Set(traits.map(\.id)).count == traits.count)
    for trait in traits { #expect((trait.consequence == nil) == ("\(trait.verdict)" == "present")) }
  }

  @Test(.needsKVM) func `doctor says that guests run here`() throws {
    #expect(try succeed(["doctor"]).hasSuffix("This host runs guests.\n"))
    #expect(try succeed(["doctor", "--all"]).contains("KVM_CAP_IRQCHIP"))
    let text = try succeed(["doctor", "--format", "json"])
    let report = try JSONDecoder().decode(DoctorReport.self, from: Data(text.utf8))
    #expect(report.schema == "lapwing.doctor/1")
    #expect(report.canRun)
    #expect(report.apiVersion == 12)
    #expect(report.features.contains { $0.id == "irqchip" && $0.state == .available })
  }

  @Test func `help names the commands, and version is a version`() throws {
    for arguments in [["--help"], ["help"], []] {
      let help = try succeed(arguments)
      for command in ["run", "list", "doctor"] { #expect(help.contains("  \(command) ")) }
      #expect(help.contains("Exit status: 0 success"))
    }
    #expect(try succeed(["run", "--help"]).contains("--load-address <load-address>"))
    #expect(try succeed(["--version"]).wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }

  @Test(arguments: [("bash", "complete "), ("zsh", "#compdef lapwing"), ("fish", "complete -c 'lapwing'")])
  func `a completion script for each shell knows the guests`(shell: String, marker: String) throws {
    let script = try succeed(["--generate-completion-script", shell])
    #expect(script.contains(marker))
    #expect(script.contains("multiboot-hello"))
  }
}
