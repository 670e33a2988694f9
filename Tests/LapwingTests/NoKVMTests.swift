import Foundation
import Reports
import Testing

/// Hosts that run no guests: exit status 69, and what can be done about it.
@Suite struct NoKVMTests {
  /// Runs a command where `preparation` has changed what /dev has, for that command alone.
  private func without(_ preparation: String, _ arguments: [String]) throws -> Program.Result {
    try Program.run(
      arguments, through: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", preparation + " && exec \"$0\" \"$@\""])
  }

  @Test(.enabled(if: Host.canHideDevice, "takes root and unshare(1)"))
  func `without the device`() throws {
    let hide = "mount -t tmpfs none /dev"
    let run = try without(hide, ["run", "hello"])
    #expect(run.status == 69)
    #expect(run.output == "")
    #expect(run.errors.hasPrefix("lapwing: open(/dev/kvm) failed: ENOENT"))
    #expect(run.errors.contains("modprobe"))
    let doctor = try without(hide, ["doctor"])
    #expect(doctor.status == 69)
    #expect(doctor.output.contains("This host runs no guests: open(/dev/kvm) failed: ENOENT"))
    let json = try without(hide, ["doctor", "--format", "json"])
    #expect(json.status == 69)
    let report = try JSONDecoder().decode(DoctorReport.self, from: Data(json.output.utf8))
    #expect(!report.canRun)
    #expect(report.apiVersion == nil)
    #expect(try without(hide, ["list"]).status == 0)
  }

  @Test(.enabled(if: Host.canHideDevice && Host.runsGuests, "takes root, unshare(1) and a /dev/kvm to cover"))
  func `with something else in its place`() throws {
    let result = try without("mount --bind /dev/null /dev/kvm", ["run", "hello"])
    #expect(result.status == 69)
    #expect(result.output == "")
    #expect(result.errors.contains("ENOTTY"))
  }

  @Test(.enabled(if: Host.canDropPrivileges && Host.runsGuests, "takes root, setpriv(1) and a /dev/kvm"))
  func `without permission`() throws {
    let result = try Program.run(["run", "hello"], through: Host.nobody)
    #expect(result.status == 69)
    #expect(result.output == "")
    #expect(result.errors.hasPrefix("lapwing: open(/dev/kvm) failed: EACCES"))
    #expect(result.errors.contains("group"))
    #expect(try Program.run(["doctor"], through: Host.nobody).status == 69)
  }

  @Test(.enabled(if: Host.canDropPrivileges && Host.canHideDevice && Host.runsGuests, "takes root and a /dev/kvm"))
  func `without tracefs a traced run is none`() throws {
    let hide = "umount -a -t tracefs,debugfs; set -- /usr/bin/setpriv --bounding-set -sys_admin \"$0\" \"$@\""
    let result = try Program.run(
      ["run", "hello", "--trace"], through: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", hide + "; exec \"$@\""])
    #expect(result.status == 69)
    #expect(result.output == "")
    #expect(result.errors.contains("lapwing: --trace: nothing can be recorded: "), "\(result.errors)")
  }
}
