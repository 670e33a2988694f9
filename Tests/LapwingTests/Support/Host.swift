import Foundation
import Testing

/// What the host lets these tests do, asked once, by the program itself.
enum Host {
  /// Whether guests run here: `lapwing doctor` says so.
  static let runsGuests: Bool = {
    let runs = (try? Program.run(["doctor"]))?.status == 0
    if !runs { warn("no guest is run, for this host has no KVM to use") }
    return runs
  }()

  /// Whether a run can be traced: not where the program says that this host cannot. Any other failure is the tests' to find.
  static let recordsTracepoints: Bool = {
    let records = (try? Program.run(["run", "hello", "--trace", "--quiet"]))?.status != 69
    if !records { warn("no run is traced, for KVM's tracepoints cannot be recorded here") }
    return records
  }()

  /// Whether /dev/kvm can be hidden from the program alone: as root, in a mount namespace of its own.
  static let canHideDevice: Bool = {
    let wrapper = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", "mount -t tmpfs none /dev && exec \"$0\" \"$@\""]
    let works = (try? Program.run(["--version"], through: wrapper))?.status == 0
    if !works { warn("no host without /dev/kvm is tried, for that takes root and unshare(1)") }
    return works
  }()

  /// Whether the program can be run as a user who may not open /dev/kvm.
  static let canDropPrivileges: Bool = {
    let works = (try? Program.run(["--version"], through: nobody))?.status == 0
    if !works { warn("no user without permission is tried, for that takes root and setpriv(1)") }
    return works
  }()

  /// Whether these tests may make devices and files of other users.
  static let isRoot: Bool = {
    if getuid() != 0 { warn("no device and no file of another user is tried, for that takes root") }
    return getuid() == 0
  }()

  /// Whether a folder can be made one whose files are not replaced.
  static let hasAppendOnlyFolders: Bool = {
    let script =
      "d=$(mktemp -d) && cd $d && touch a b && chattr +a . && ! mv a b 2>/dev/null; s=$?; chattr -a $d; rm -r $d; exit $s"
    let works = (try? Program.run([], through: ["/bin/sh", "-c", script]))?.status == 0
    if !works { warn("no append-only folder is tried, for that takes root, chattr(1) and a file system that heeds it") }
    return works
  }()

  /// GNU gdb, where this host has it.
  static let gdb: String? = {
    let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/gdb" }
    let found = (paths + ["/usr/bin/gdb"]).first { FileManager.default.isExecutableFile(atPath: $0) }
    if found == nil { warn("no guest is debugged with gdb, which this host does not have: apt-get install gdb") }
    return found
  }()

  /// QEMU for x86-64, where this host has it.
  static let qemu: String? = {
    let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map {
      "\($0)/qemu-system-x86_64"
    }
    let found = paths.first { FileManager.default.isExecutableFile(atPath: $0) }
    if found == nil {
      warn("no machine of QEMU is watched, which this host does not have: apt-get install qemu-system-x86")
    }
    return found
  }()

  /// Runs a command as a user who owns nothing.
  static let nobody = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]

  private static func warn(_ text: String) {
    FileHandle.standardError.write(Data("WARNING: \(text)\n".utf8))
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips, and says so, where guests cannot run.
  static var needsKVM: Self { .enabled(if: Host.runsGuests, "/dev/kvm cannot be used here: see lapwing doctor") }

  /// Skips, and says so, where there is no gdb.
  static var needsGDB: Self { .enabled(if: Host.gdb != nil, "this host has no gdb: apt-get install gdb") }

  /// Skips, and says so, where runs cannot be traced.
  static var needsTracepoints: Self {
    .enabled(if: Host.recordsTracepoints, "KVM's tracepoints cannot be recorded here: see lapwing doctor")
  }
}
