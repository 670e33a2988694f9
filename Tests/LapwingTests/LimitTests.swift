import Foundation
import TestImages
import Testing

/// What a host or a shell allows a process, cut down.
@Suite(.needsKVM) struct LimitTests {
  /// Runs the program under a limit of the shell's.
  private func run(_ arguments: [String], limit: String, through wrapper: [String] = []) throws -> Program.Result {
    try Program.run(
      arguments, through: wrapper + ["/bin/bash", "-c", "ulimit \(limit) && exec \"$0\" \"$@\""])
  }

  @Test func `a file that may not grow is an error with 65, and nothing is left`() throws {
    for command in OutputTests.commands {
      let folder = try Folder()
      try folder.write("old", to: "output")
      let size = try Program.run(command + [folder.path("whole")])
      try #require(size.status == 0)
      let before = try folder.listing
      let result = try run(command + [folder.path("output")], limit: "-f 0")
      #expect(!result.wasKilled && result.status == 65, "\(command): \(result.status) \(result.errors)")
      #expect(try folder.listing == before, "\(command)")
      #expect(try folder.text("output") == "old")
    }
  }

  @Test(arguments: [
    ["run", "hello"], ["snapshot", "hello", "--at", "exit:2", "--output", "/dev/null"], ["doctor"], ["list"],
    ["restore", "/dev/null"], ["inspect", "/dev/zero"], ["diff", "/nowhere", "/dev/full"], ["compare", "/", "/"],
    ["test", "ipi.self.x2apic", "--output", "/"], ["bench", "exit.cpuid", "--rounds", "1", "--samples", "10"],
    ["kut", "/dev/null"], ["kut", "--config", "/dev/null"], ["run", "/dev/zero"], ["run", "/"], ["no-such-command"],
  ])
  func `every command ends as documented under every limit`(arguments: [String]) throws {
    let table = try Documented.statuses()
    for limit in ["-f 0", "-n 8", "-n 14", "-v 120000", "-s 256"] {
      let result = try run(arguments, limit: limit)
      guard result.status != 127 else { continue }
      #expect(!result.wasKilled && table.contains(result.status), "\(limit): \(result.status) \(result.errors)")
      #expect(result.status != 70, "\(limit): \(result.errors)")
    }
  }

  @Test func `a user who may have no signal pending has a time limit nevertheless`() throws {
    let guest = try GuestFile(MultibootImage.waitingForInterrupt.bytes)
    let result = try Program.run(
      ["run", guest.path, "--control", guest.path + ".socket", "--timeout", "1s"],
      through: ["/usr/bin/prlimit", "--sigpending=0"])
    #expect(result.status == 124, "\(result.errors)")
  }

  @Test(arguments: ["--help", "--version", "help"])
  func `a page that nobody takes is an error with 65`(argument: String) throws {
    let result = try Program.run([argument], through: ["/bin/sh", "-c", "exec \"$0\" \"$@\" >/dev/full"])
    #expect(result.status == 65 && result.errors.contains("cannot be written to standard output"))
    #expect(try Program.run([argument]).status == 0)
  }

  @Test func `what fails for want of descriptors is no verdict on this host, whatever is run`() throws {
    let guest = try GuestFile(MultibootImage.waitingForInterrupt.bytes)
    for arguments in [
      ["test", "ipi.self.x2apic"], ["bench", "exit.cpuid", "--rounds", "1", "--samples", "10"], ["kut", guest.path],
      ["run", "hello"],
    ] {
      var refused = 0
      for limit in 5...24 {
        let result = try run(arguments + (arguments[0] == "kut" ? ["--timeout", "1s"] : []), limit: "-n \(limit)")
        // A guest that waits for an interrupt fails by itself, once there is room for it.
        let ends: Set<Int32> = arguments[0] == "kut" ? [1, 69] : [0, 69]
        #expect(ends.contains(result.status), "\(arguments), -n \(limit): \(result.status) \(result.errors)")
        if result.status == 69 { refused += 1 }
      }
      #expect(refused > 0 && refused < 20, "\(arguments)")
    }
  }

  @Test func `the documents and the help have the same exit statuses`() throws {
    let help = try Program.run(["--help"]).output.split { $0.isNewline || $0 == " " }.joined(separator: " ")
    let start = try #require(help.firstRange(of: "Exit status: "))
    let text = help[start.upperBound...].prefix { $0 != "." }
    let told = text.split(separator: "; ").compactMap { Int32($0.prefix { $0.isNumber }) }
    #expect(try Documented.statuses() == Set(told))
  }

  @Test(arguments: ["run", "restore"])
  func `standard output in a file that may not grow is an error with 65`(command: String) throws {
    let folder = try Folder()
    let arguments = command == "run" ? ["run", "hello"] : ["restore", folder.path("s")]
    if command == "restore" {
      try #require(try Program.run(["snapshot", "hello", "--at", "exit:2", "-o", folder.path("s")]).status == 0)
    }
    let result = try run(arguments, limit: "-f 0")
    #expect(!result.wasKilled && result.status == 65, "\(result.status)")
  }

  /// Below that the loader cannot map the libraries of a build for debugging, and nothing of the program runs.
  @Test(arguments: Array(stride(from: 80, through: 400, by: 40)))
  func `with little address space a run passes or says what it lacks`(mebibytes: Int) throws {
    let result = try run(["run", "hello", "--memory", "16M"], limit: "-v \(mebibytes << 10)")
    #expect(!result.wasKilled)
    #expect(result.status == 0 || result.status == 69, "\(mebibytes) MiB: \(result.status) \(result.errors)")
    if result.status == 69 { #expect(result.errors.contains("ulimit"), "\(result.errors)") }
  }

  /// A user without privileges whom /dev/kvm lets in: limits on processes do not count for root.
  private static let user = [
    "/usr/bin/unshare", "-m", "/bin/sh", "-c",
    """
    mount -t tmpfs -o dev none /mnt && mknod -m 666 /mnt/kvm c 10 232 && mount --bind /mnt/kvm /dev/kvm &&
    exec /usr/bin/setpriv --reuid 65533 --regid 65533 --clear-groups -- "$0" "$@"
    """,
  ]

  @Test(
    .enabled(if: Host.canHideDevice && Host.canDropPrivileges, "takes root, unshare(1) and setpriv(1)"),
    arguments: [
      ["run", "hello", "--timeout", "20s"], ["run", "hello", "-c", "3", "--timeout", "20s", "--quiet"],
      ["snapshot", "hello", "--at", "exit:2", "--timeout", "20s", "--output", "/proc/self/cwd/nothing"],
    ])
  func `without threads for it or for KVM a guest is none of 69, at once`(arguments: [String]) throws {
    let folder = try Folder()
    try folder.permit(0o777)
    let arguments = arguments.map { $0.hasPrefix("/proc") ? folder.path("s") : $0 }
    var refused = 0
    for limit in 1...8 {
      let result = try run(arguments, limit: "-u \(limit)", through: Self.user)
      #expect(!result.wasKilled)
      #expect(result.status == 0 || result.status == 69, "-u \(limit): \(result.status) \(result.errors)")
      guard result.status == 69 else { continue }
      refused += 1
      #expect(result.errors.contains("ulimit -u"), "\(result.errors)")
      #expect(folder.names == [])
    }
    #expect(refused > 0)
  }

  @Test(.enabled(if: Host.canHideDevice && Host.canDropPrivileges, "takes root, unshare(1) and setpriv(1)"))
  func `what fails for want of threads is no verdict on this host, whatever is run`() throws {
    for arguments in [
      ["test", "ipi.self.x2apic"], ["bench", "exit.cpuid", "--rounds", "1", "--samples", "10"],
    ] {
      var refused = 0
      for limit in 1...8 {
        let result = try run(arguments, limit: "-u \(limit)", through: Self.user)
        #expect([0, 69].contains(result.status), "\(arguments), -u \(limit): \(result.status) \(result.errors)")
        if result.status == 69 { refused += 1 }
      }
      #expect(refused > 0 && refused < 8, "\(arguments)")
    }
  }

  @Test(.needsTracepoints, .enabled(if: Host.canHideDevice, "takes root and unshare(1)"))
  func `what a killed run left behind in a PID namespace does not stop the next`() throws {
    let guest = try GuestFile(ELFImage(code: Code(.long).print("up\n").spin().bytes).bytes)
    // In each of these namespaces the program has the same number.
    let namespace = ["/usr/bin/unshare", "-p", "-f", "--mount-proc", "--kill-child"]
    for _ in 0..<2 {
      let program = try Program(["run", guest.path, "--trace", "--timeout", "50s"], through: namespace)
      #expect(program.wait { program.outputSoFar.contains("up\n") })
      program.signal(SIGKILL)
      _ = try program.result()
    }
    let result = try Program.run(["run", "hello", "--trace"], through: namespace)
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func `what a large image took is given back once it is loaded`() throws {
    let image = ELFImage(code: Code(.long).print("up\n").spin().bytes).bytes + [UInt8](repeating: 1, count: 24 << 20)
    let guest = try GuestFile(image)
    let program = try Program(["run", guest.path, "--memory", "64M", "--timeout", "50s"])
    #expect(program.wait { program.outputSoFar.contains("up\n") })
    let used = try privateKiB(of: program.id, below: 64 << 20)
    program.signal(SIGTERM)
    _ = try program.result()
    #expect(used < 16 << 10, "\(used) KiB")
  }

  /// What a process has written, in mappings that are smaller than the guest's memory (proc_pid_smaps(5)).
  private func privateKiB(of process: Int32, below limit: Int) throws -> Int {
    var (isCounted, sum) = (false, 0)
    for line in try String(contentsOfFile: "/proc/\(process)/smaps", encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ")
      let ends = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
      if ends.count == 2 { isCounted = ends[1] - ends[0] < limit }
      if isCounted, words[0] == "Anonymous:" { sum += Int(words[1]) ?? 0 }
    }
    return sum
  }

  @Test func `a stack that is too small is named`() throws {
    // With less than 24 KiB, the dynamic linker or a long environment may need all of it before the program's first code.
    for kibibytes in [32, 64, 120] {
      let result = try run(["--version"], limit: "-s \(kibibytes)")
      // Root may raise the limit.
      #expect(!result.wasKilled && [0, 69].contains(result.status), "\(kibibytes): \(result.status)")
      #expect(result.status == 0 || result.errors.contains("ulimit -s"))
    }
  }

  @Test func `data that may have too little is named`() throws {
    // With less, the program's own data have no room, and the kernel starts nothing.
    for mebibytes in [16, 24, 31] {
      let result = try run(["list"], limit: "-d \(mebibytes << 10)")
      #expect(!result.wasKilled && result.status == 69, "\(mebibytes): \(result.status)")
      #expect(result.errors.contains("ulimit -d"))
    }
    #expect(try run(["list"], limit: "-d \(32 << 10)").status == 0)
  }
}
