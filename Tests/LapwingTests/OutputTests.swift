import Foundation
import Testing

/// Every command that writes a file, with every kind of file in its place.
@Suite(.needsKVM) struct OutputTests {
  /// A command, without the path that ends it.
  static let commands: [[String]] = [
    ["test", "ipi.self.x2apic", "--format", "json", "--output"],
    ["test", "--list", "--output"],
    ["bench", "exit.cpuid", "--rounds", "1", "--samples", "10", "--output"],
    ["bench", "exit.cpuid", "--rounds", "1", "--samples", "10", "--svg"],
    ["kut", "/nowhere", "--format", "json", "--output"],
    ["snapshot", "hello", "--at", "exit:2", "--quiet", "--output"],
  ]

  /// What may be there instead of a file that can be replaced.
  enum Obstacle: String, CaseIterable {
    case directory, missingFolder, noFolder, pipe, socket, blockDevice, fullDevice
    case foreignLink, foreignFolder, loop, longName, emptyName, danglingDescriptor, slash

    var needsRoot: Bool { [.blockDevice, .fullDevice, .foreignLink, .foreignFolder].contains(self) }

    /// Puts it into a folder and gives its path.
    func put(in folder: Folder) throws -> String {
      let path = folder.path("output")
      switch self {
      case .directory: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      case .missingFolder: return folder.path("nothing/output")
      case .noFolder:
        try folder.write("", to: "output")
        return folder.path("output/output")
      case .pipe: try folder.makeNode("output", S_IFIFO)
      case .socket: try folder.makeNode("output", S_IFSOCK)
      case .blockDevice: try folder.makeNode("output", S_IFBLK, major: 7, minor: 250)
      case .fullDevice: try folder.makeNode("output", S_IFCHR, major: 1, minor: 7)
      case .foreignLink:
        try folder.write("precious", to: "precious")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "precious")
        try folder.giveAway("output")
      case .foreignFolder:
        try FileManager.default.createDirectory(atPath: folder.path("mine"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "mine")
        try folder.giveAway("output")
        return folder.path("output/file")
      case .loop: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "output")
      case .longName: return folder.path(String(repeating: "n", count: 256))
      case .emptyName: return ""
      case .slash: return path + "/"
      case .danglingDescriptor: return "/proc/self/fd/987"
      }
      return path
    }
  }

  @Test(arguments: Obstacle.allCases.filter { !$0.needsRoot || Host.isRoot })
  func `what cannot be written is refused by every command with 65, and nothing beside it changes`(
    obstacle: Obstacle
  ) throws {
    for command in Self.commands {
      let folder = try Folder()
      let path = try obstacle.put(in: folder)
      let before = try folder.listing
      let result = try Program.run(command + [path])
      #expect(!result.wasKilled && result.status == 65, "\(command): \(result.status) \(result.errors)")
      #expect(result.errors.hasPrefix("lapwing: "), "\(command): \(result.errors)")
      #expect(try folder.listing == before, "\(command)")
    }
  }

  @Test(.enabled(if: Host.isRoot, "only root makes devices"))
  func `a device is written in place by reports, refused by snapshots, and stays a device`() throws {
    for command in Self.commands {
      let folder = try Folder()
      let path = folder.path("null")
      try folder.makeNode("null", S_IFCHR, major: 1, minor: 3)
      let before = try folder.listing
      let result = try Program.run(command + [path])
      #expect(result.status == (command[0] == "snapshot" ? 65 : 0), "\(command): \(result.status) \(result.errors)")
      #expect(try folder.listing == before, "\(command)")
    }
  }

  @Test func `a file is replaced whole, keeps its permissions, and nothing is left beside it`() throws {
    for command in Self.commands {
      let folder = try Folder()
      try folder.write("before", to: "output")
      try folder.permit(0o600, "output")
      let result = try Program.run(command + [folder.path("output")])
      #expect(result.status == 0, "\(command): \(result.status) \(result.errors)")
      #expect(try folder.text("output") != "before")
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("output"))
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
      #expect(folder.names == (command[0] == "snapshot" ? ["output", "output.memory"] : ["output"]))
    }
  }

  @Test(arguments: [true, false])
  func `a link of this user's leads to the file that is written, and stays a link`(exists: Bool) throws {
    for command in Self.commands {
      let folder = try Folder()
      try FileManager.default.createDirectory(atPath: folder.path("there"), withIntermediateDirectories: false)
      if exists { try folder.write("before", to: "there/real") }
      try FileManager.default.createSymbolicLink(atPath: folder.path("output"), withDestinationPath: "there/real")
      let result = try Program.run(command + [folder.path("output")])
      #expect(result.status == 0, "\(command): \(result.status) \(result.errors)")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path("output")) == "there/real")
      #expect(try folder.text("there/real") != "before")
      #expect(folder.names == ["output", "there"])
      guard command[0] == "snapshot" else { continue }
      for file in ["output", "there/real"] { #expect(try Program.run(["restore", folder.path(file)]).status == 0) }
    }
  }

  @Test func `standard output by its name in /dev is standard output`() throws {
    let report = try Program.run(["test", "--list", "--output", "/dev/stdout"])
    #expect(report.status == 0)
    #expect(report.output == (try Program.run(["test", "--list"]).output))
    let snapshot = try Program.run(["snapshot", "hello", "--at", "exit:2", "--output", "/dev/stdout"])
    #expect(snapshot.status == 65 && snapshot.output == "", "\(snapshot.errors)")
  }

  @Test func `a pipe with a reader gets the whole report`() throws {
    let folder = try Folder()
    try folder.makeNode("pipe", S_IFIFO)
    let reader = Process()
    reader.executableURL = URL(fileURLWithPath: "/bin/cat")
    reader.arguments = [folder.path("pipe")]
    try Data().write(to: folder.url.appendingPathComponent("read"))
    reader.standardOutput = try FileHandle(forWritingTo: folder.url.appendingPathComponent("read"))
    try reader.run()
    defer { reader.terminate() }
    // Until `cat` has opened its end there is nobody who reads.
    var status: Int32 = 65
    for _ in 0..<600 where status == 65 {
      status = try Program.run(["test", "--list", "--output", folder.path("pipe")]).status
    }
    #expect(status == 0)
    reader.waitUntilExit()
    #expect(try folder.text("read") == (try Program.run(["test", "--list"]).output))
  }

  @Test(.enabled(if: Host.canHideDevice, "takes root and unshare(1)"))
  func `without /proc, where a file needs a name from the start, nothing else is left either`() throws {
    let through = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", "umount -l /proc && exec \"$0\" \"$@\""]
    for command in Self.commands {
      let folder = try Folder()
      try folder.write("before", to: "output")
      let result = try Program.run(command + [folder.path("output")], through: through)
      #expect(result.status == 0, "\(command): \(result.status) \(result.errors)")
      #expect(try folder.text("output") != "before")
      #expect(folder.names == (command[0] == "snapshot" ? ["output", "output.memory"] : ["output"]))
      let refused = try Program.run(
        command + [folder.path("output")], through: through.dropLast() + ["ulimit -f 0; " + (through.last ?? "")])
      #expect(refused.status == 65, "\(command): \(refused.status) \(refused.errors)")
      #expect(folder.names == (command[0] == "snapshot" ? ["output", "output.memory"] : ["output"]))
    }
  }

  @Test func `a file that has the name of a snapshot's memory is not replaced`() throws {
    let folder = try Folder()
    try folder.write("precious", to: "s.memory")
    let result = try Program.run(["snapshot", "hello", "--at", "exit:2", "--output", folder.path("s")])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try folder.text("s.memory") == "precious")
    #expect(folder.names == ["s", "s.memory", "s.memory-2"])
    #expect(try Program.run(["restore", folder.path("s")]).status == 0)
  }

  @Test(.enabled(if: Host.canHideDevice, "takes root and unshare(1)"))
  func `a file system that is full gives 65, the old file stays, and nothing is left`() throws {
    for command in Self.commands {
      let folder = try Folder()
      let path = folder.path("full")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      // Room for the old file, and none for anything else.
      let script = """
        mount -t tmpfs -o size=16k none \(path) && echo old >\(path)/output &&
        { dd if=/dev/zero of=\(path)/rest 2>/dev/null; "$0" "$@"; echo status $? >&2; cat \(path)/output; ls -A \(path); }
        """
      let result = try Program.run(
        command + ["\(path)/output"], through: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script])
      #expect(result.errors.contains("No space left on device"), "\(command): \(result.errors)")
      #expect(result.errors.contains("status 65"), "\(command): \(result.errors)")
      #expect(result.output.hasSuffix("old\noutput\nrest\n"), "\(command): \(result.output)")
    }
  }

  @Test(.enabled(if: Host.canHideDevice, "takes root and unshare(1)"))
  func `a file that is mounted, whose place nothing can take, is refused before anything runs`() throws {
    for command in Self.commands {
      let folder = try Folder()
      try folder.write("mounted", to: "source")
      try folder.write("below", to: "output")
      let path = folder.path("output")
      let script = "mount --bind \(folder.path("source")) \(path) && exec \"$0\" \"$@\""
      let result = try Program.run(command + [path], through: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script])
      #expect(result.status == 65 && result.errors.contains("mount its folder"), "\(command): \(result.errors)")
      #expect(result.output == "", "\(command): \(result.output)")
      #expect(try [folder.text("source"), folder.text("output")] == ["mounted", "below"])
      #expect(folder.names == ["output", "source"])
    }
  }

  @Test(.enabled(if: Host.hasAppendOnlyFolders, "takes root, chattr(1) and a file system that heeds it"))
  func `a file in a folder that is append-only is refused before anything runs, and nothing is left`() throws {
    for command in Self.commands {
      let folder = try Folder()
      try folder.write("before", to: "output")
      let path = folder.path(".")
      let script = "chattr +a \(path); \"$0\" \"$@\"; status=$?; chattr -a \(path); exit $status"
      let result = try Program.run(command + [folder.path("output")], through: ["/bin/sh", "-c", script])
      #expect(result.status == 65 && result.errors.contains("append-only"), "\(command): \(result.errors)")
      #expect(try folder.text("output") == "before")
      #expect(folder.names == ["output"])
    }
  }

  @Test func `a terminal that the process does not have is not taken for a pipe`() throws {
    let result = try Program.run(
      ["test", "--list", "--output", "/dev/tty"], through: ["/usr/bin/setsid", "--wait"])
    #expect(result.status == 65 && result.errors.contains("No such device or address"), "\(result.errors)")
  }

  @Test func `a name that is not UTF-8 is refused, and no other file is taken for it`() throws {
    let folder = try Folder()
    try folder.write("precious", to: "\u{fffd}")
    let script = "cd \"\(folder.path("."))\" && exec \"$0\" list --image hello --output \"$(printf '\\377')\""
    let result = try Program.run([], through: ["/bin/sh", "-c", script])
    #expect(result.status == 64 && result.errors.contains("is not UTF-8"), "\(result.errors)")
    #expect(try folder.text("\u{fffd}") == "precious")
    #expect(folder.names == ["\u{fffd}"])
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a file to another user"))
  func `a file that is replaced keeps its owner and permissions`() throws {
    let folder = try Folder()
    for command in Self.commands {
      try folder.write("old", to: "output")
      let attributes: [FileAttributeKey: Any] = [
        .ownerAccountID: 1234, .groupOwnerAccountID: 1235, .posixPermissions: 0o640,
      ]
      try FileManager.default.setAttributes(attributes, ofItemAtPath: folder.path("output"))
      _ = try Program.run(command + [folder.path("output")])
      let kept = try FileManager.default.attributesOfItem(atPath: folder.path("output"))
      #expect(kept[.ownerAccountID] as? Int == 1234 && kept[.groupOwnerAccountID] as? Int == 1235, "\(command)")
      #expect(kept[.posixPermissions] as? Int == 0o640, "\(command)")
      #expect(try folder.text("output") != "old", "\(command)")
    }
  }
}
