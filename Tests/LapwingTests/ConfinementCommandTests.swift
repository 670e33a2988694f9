import Confinement
import Foundation
import TestImages
import Testing

/// What a run has given up, as the kernel tells of it, and what that means for its clients.
struct ConfinementCommandTests {
  /// A guest that waits for its end.
  private static let waiting = ["run", "agent", "--timeout", "5m"]

  /// Lines of a thread's status by their names (proc_pid_status(5)).
  private static func status(_ folder: String) -> [Substring: String] {
    let text = (try? String(contentsOfFile: folder + "/status", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").reduce(into: [:]) { fields, line in
      let words = line.split(separator: ":", maxSplits: 1)
      if words.count == 2 { fields[words[0]] = words[1].trimmingCharacters(in: .whitespaces) }
    }
  }

  /// The status of every thread of a run whose guest has begun, and of the program's own.
  private static func threads(_ arguments: [String]) throws -> [[Substring: String]] {
    let folder = try Folder()
    let program = try Program(waiting + ["--control", folder.path("socket")] + arguments)
    #expect(program.wait { program.threads.contains("vcpu 0") })
    let client = try ControlConnection(folder.path("socket"))
    // The vCPU has been in the guest, and out of it.
    #expect(client.ask(#"{"verb":"inspect"}"#)?.contains(#""ok":true"#) == true)
    let tasks = "/proc/\(program.id)/task"
    let all = try FileManager.default.contentsOfDirectory(atPath: tasks).map { status("\(tasks)/\($0)") }
    #expect(client.ask(#"{"verb":"stop"}"#) == #"{"ok":true}"#)
    #expect(try program.result().status == 1)
    return all
  }

  @Test(.needsKVM, .enabled(if: ConfinementSupport.ofThisKernel().hasFilters, "this kernel has no seccomp filters"))
  func `every thread of a run is filtered, and a vCPU's twice`() throws {
    let threads = try Self.threads([])
    #expect(threads.count >= 3)
    for thread in threads where thread["State"]?.hasPrefix("Z") == false {
      let name = thread["Name"] ?? ""
      #expect(thread["NoNewPrivs"] == "1", "\(name)")
      #expect(thread["Seccomp"] == "2", "\(name)")
      if name.hasPrefix("vcpu") { #expect(thread["Seccomp_filters"] ?? "2" == "2") }
      if name == "lapwing" { #expect(thread["Seccomp_filters"] ?? "1" == "1") }
      // CAP_CHOWN, CAP_DAC_OVERRIDE and CAP_FOWNER at the most: clients may have snapshots written.
      for set in ["CapPrm", "CapEff", "CapAmb", "CapInh"] {
        let bits = try #require(UInt64(thread[set[...]] ?? "", radix: 16))
        #expect(bits & ~0b1011 == 0, "\(name) has \(set) \(bits)")
      }
      if getuid() == 0 { #expect(UInt64(thread["CapBnd"] ?? "", radix: 16) == 0b1011, "\(name)") }
    }
  }

  @Test(.needsKVM) func `--no-confine keeps all rights, and says so`() throws {
    let own = Self.status("/proc/self")
    for thread in try Self.threads(["--no-confine"]) {
      #expect(thread["NoNewPrivs"] == own["NoNewPrivs"])
      #expect(thread["Seccomp"] == own["Seccomp"])
    }
    let result = try Program.run(["run", "hello", "--quiet", "--no-confine"])
    #expect(result.status == 0)
    #expect(result.errors.hasPrefix("lapwing: --no-confine: guests, files and clients are NOT confined"))
    #expect(try Program.run(["run", "hello", "--quiet"]).errors == "")
  }

  @Test(.needsKVM, .enabled(if: ConfinementSupport.ofThisKernel().landlock != nil, "this kernel has no Landlock"))
  func `a client has snapshots written where the command line lets him, and nowhere else`() throws {
    let (folder, named, other) = (try Folder(), try Folder(), try Folder())
    let program = try Program(
      Self.waiting + ["--control", folder.path("socket"), "--control-folder", named.url.path])
    #expect(program.wait { program.threads.contains("vcpu 0") })
    let client = try ControlConnection(folder.path("socket"))
    func snapshot(_ file: String) -> String { client.ask(#"{"verb":"snapshot","file":"\#(file)"}"#) ?? "" }
    #expect(snapshot(folder.path("state.json")).hasPrefix(#"{"ok":true"#))
    #expect(snapshot(named.path("state.json")).hasPrefix(#"{"ok":true"#))
    let answer = snapshot(other.path("state.json"))
    #expect(answer.hasPrefix(#"{"ok":false"#) && answer.contains("--control-folder"), "\(answer)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: other.url.path).isEmpty)
    #expect(client.ask(#"{"verb":"stop"}"#) == #"{"ok":true}"#)
    #expect(try program.result().status == 1)
  }

  @Test func `a folder for clients' snapshots needs a control socket`() throws {
    let result = try Program.run(["run", "hello", "--control-folder", "."])
    #expect(result.status == 64)
    #expect(result.errors.contains("--control-folder needs --control"))
    let folder = try Folder()
    let missing = try Program.run([
      "run", "hello", "--control", folder.path("socket"), "--control-folder", folder.path("none"),
    ])
    #expect(missing.status == 65 && missing.errors.contains("there is no such folder"), "\(missing.errors)")
  }

  @Test(.needsKVM) func `outputs, images and disks far from each other are reached all the same`() throws {
    let (images, outputs, links) = (try Folder(), try Folder(), try Folder())
    let image = try GuestFile(MultibootImage.interruptingItself.bytes)
    let link = links.path("report.json")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: outputs.path("report.json"))
    let test = try Program.run(["test", "msi.halted", "--format", "json", "-o", link])
    #expect(test.status == 0, "\(test.errors)")
    #expect(try outputs.text("report.json").contains("lapwing.test"))
    let disk = images.path("disk")
    try Data(count: 1 << 20).write(to: URL(fileURLWithPath: disk))
    let run = try Program.run(["run", image.path, "--disk", disk, "--format", "json"])
    #expect(run.errors == "")
  }

  @Test(.needsKVM) func `the clock of a PC is read, date and all, and a heap shrinks`() throws {
    // Each register of the clock: mov al, N; out 0x70, al; in al, 0x71.
    let reads = (UInt8(0)...0x0d).reduce(Code(.protected)) { $0.then([0xb0, $1, 0xe6, 0x70, 0xe4, 0x71]) }
    let guest = try GuestFile(MultibootImage(code: reads.debugExit(0).bytes).bytes)
    let result = try Program.run(["run", guest.path, "--machine", "unittest", "--quiet"])
    #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    // With this setting the C library's allocator wants to know early what the host says of that.
    let tuned = try Program.run(
      ["run", "timer", "--quiet"],
      through: ["/usr/bin/env", "GLIBC_TUNABLES=glibc.malloc.hugetlb=2"])
    #expect(tuned.status == 0 && tuned.errors == "", "\(tuned.errors)")
  }

  @Test(.needsKVM) func `a snapshot's memory may be a link to elsewhere`() throws {
    let (folder, other) = (try Folder(), try Folder())
    let file = folder.path("s.json")
    #expect(try Program.run(["snapshot", "hello", "--at", "exit:1", "-o", file, "--quiet"]).status == 0)
    try FileManager.default.moveItem(atPath: file + ".memory", toPath: other.path("memory"))
    try FileManager.default.createSymbolicLink(
      atPath: file + ".memory", withDestinationPath: other.path("memory"))
    let result = try Program.run(["restore", file, "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func `doctor says what there is to confine with`() throws {
    let result = try Program.run(["doctor", "--format", "json"])
    let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let confinement = try #require(document["confinement"] as? [String: Any])
    let support = ConfinementSupport.ofThisKernel()
    #expect(confinement["landlock"] as? Int == support.landlock)
    #expect((confinement["landlockHint"] != nil) == (support.landlock == nil))
    #expect(confinement["seccomp"] as? Bool == support.hasFilters)
    #expect(try Program.run(["doctor"]).output.contains("confinement of this program"))
  }
}
