import Confinement
import Foundation
import Testing

/// What a process can no longer do once it is confined, tried by a process each.
struct ConfinementTests {
  @Test(
    .enabled(if: ConfinedProcess.support.hasFilters, "this kernel has no seccomp filters"),
    .enabled(if: ConfinedProcess.hasKVM, "/dev/kvm cannot be opened here: see lapwing doctor"),
    arguments: ConfinedProcess.calls.map(\.index))
  func `a guest that has its vCPU's thread make a forbidden call ends the process before it is made`(
    _ index: Int32
  ) throws {
    let trial = try ConfinedProcess(["guest", "\(index)"])
    let name = ConfinedProcess.calls[Int(index)].name
    #expect(trial.lines == ["the guest asks"], "\(name)")
    #expect(trial.status == 70, "\(name): \(trial.errors)")
    let number = ConfinedProcess.calls[Int(index)].number
    #expect(trial.errors.hasPrefix("lapwing: a thread was ended at system call \(number), "), "\(name)")
  }

  @Test(.enabled(if: ConfinedProcess.hasKVM, "/dev/kvm cannot be opened here: see lapwing doctor"))
  func `a vCPU's thread starts others, as a split irqchip has it`() throws {
    let trial = try ConfinedProcess(["guest-thread"])
    #expect(trial.lines.prefix(2) == ["the guest asks", "another thread runs"], "\(trial.errors)")
    #expect(trial.status == 0)
  }

  @Test(
    .enabled(if: ConfinedProcess.support.hasFilters, "this kernel has no seccomp filters"),
    arguments: ConfinedProcess.calls.map(\.index))
  func `a thread that runs no vCPU has a forbidden call refused`(_ index: Int32) throws {
    let trial = try ConfinedProcess(["thread", "\(index)"])
    #expect(trial.lines == ["\(EPERM)"], "\(ConfinedProcess.calls[Int(index)].name)")
    #expect(trial.status == 0)
  }

  @Test(.enabled(if: ConfinedProcess.support.landlock != nil, "this kernel has no Landlock"))
  func `files are opened below the folders that were named, and nowhere else`() throws {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("confinement-\(UUID().uuidString)")
    let (named, other) = (base.appendingPathComponent("named"), base.appendingPathComponent("other"))
    defer { try? FileManager.default.removeItem(at: base) }
    for folder in [named, other] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data().write(to: folder.appendingPathComponent("there"))
    }
    func tried(_ verb: String, _ path: String) throws -> String? {
      try ConfinedProcess(["open", named.path, verb, path]).lines.first
    }
    for name in ["there", "new"] {
      #expect(try tried("write", named.appendingPathComponent(name).path) == "0")
      #expect(try tried("write", other.appendingPathComponent(name).path) == "\(EACCES)")
    }
    #expect(!FileManager.default.fileExists(atPath: other.appendingPathComponent("new").path))
    #expect(try tried("read", named.appendingPathComponent("there").path) == "0")
    #expect(try tried("read", other.appendingPathComponent("there").path) == "\(EACCES)")
    #expect(try tried("read", "/etc/passwd") == "\(EACCES)")
    #expect(try tried("read", "/proc/cpuinfo") == "0")
    // What the kernel lets root change by writing to it.
    #expect(try tried("write", "/proc/self/comm") == "\(EACCES)")
  }
}
