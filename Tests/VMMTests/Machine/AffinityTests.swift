import Foundation
import KVM
import TestImages
import Testing

@testable import VMM

/// On which of the host's processors a vCPU's thread may run.
@Suite(.needsKVM) struct AffinityTests {
  /// `jmp .`
  private static let endless = Code(.long).then([0xeb, 0xfe])

  private static func machine(vcpus: Int) throws -> Machine {
    try Machine.testing(GuestImage(name: "test", bytes: ELFImage(code: endless.bytes).bytes)) {
      $0.vcpus = vcpus
      $0.start = .direct
    }
  }

  /// What proc(5) says of a thread.
  private static func processors(_ thread: Int32) throws -> Substring {
    let status = try String(contentsOfFile: "/proc/self/task/\(thread)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
    return line.dropFirst("Cpus_allowed_list:".count).drop { $0 == "\t" }
  }

  @Test func `settling the timer of a vCPU that waits changes neither its state nor where its thread may run`() throws {
    let machine = try Self.machine(vcpus: 1)
    let running = try machine.start()
    try machine.pause()
    func registers() throws -> Registers {
      try machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.registers() }
    }
    let (before, allowed) = (try registers(), try Self.processors(running.threadIDs[0]))
    try machine.noticeTimerExpiry(0)
    #expect(try registers() == before)
    #expect(try Self.processors(running.threadIDs[0]) == allowed)
    machine.resume()
    _ = running.finish()
  }

  @Test func `vCPUs that share a processor have one and the same`() throws {
    let machine = try Self.machine(vcpus: 2)
    let running = try machine.start()
    #expect(try machine.shareProcessor([0, 1]))
    let shared = try running.threadIDs.map(Self.processors)
    #expect(shared[0] == shared[1])
    #expect(Int(shared[0]) != nil)
    _ = running.finish()
  }
}
