public import APIC
import KVM
public import VMM

/// What was there to be seen when a case failed.
public struct FailureScene: Sendable {
  /// The interrupts that a vCPU took through one vector, as the guest counts them.
  public struct InterruptCount: Hashable, Sendable {
    /// The vCPU's index.
    public let vcpu: Int
    /// The vector.
    public let vector: Vector
    /// How many.
    public let count: Int
  }

  /// The interrupts that the guest recorded.
  public let interrupts: [InterruptCount]
  /// KVM's statistics of each vCPU, by name.
  public let counters: [[String: UInt64]]
  /// The registers and the local APIC of each vCPU.
  public let vcpus: [VCPUReport]

  /// The scene on a machine whose vCPUs no longer run. What KVM does not give is left out: the failure counts for more.
  init(_ test: TestContext) {
    let machine = test.machine
    interrupts = machine.vcpus.indices.flatMap { vcpu in
      (0...UInt8.max).compactMap { number in
        let vector = Vector(rawValue: number)
        let count = machine.recorded(vector, on: vcpu)
        return count > 0 && vector != TestContext.fenceVector
          ? InterruptCount(vcpu: vcpu, vector: vector, count: count) : nil
      }
    }
    counters = test.statistics.map { file in
      guard let statistics = try? file.read() else { return [:] }
      return Dictionary(statistics.names.map { ($0, statistics[$0] ?? 0) }) { first, _ in first }
    }
    vcpus = (try? machine.reports()) ?? []
  }
}
