public import APIC
import VMM

/// What a vCPU has taken.
extension TestContext {
  /// How often a vCPU has taken `vector` in all.
  public func taken(_ vector: Vector, on vcpu: Int) -> Int { machine.recorded(vector, on: vcpu) }

  /// Waits until a vCPU has written down so many interrupts through these vectors since the log was last read, and gives
  /// them in their order, with the TSC at each.
  public func takenInOrder(_ count: Int, of vectors: Vector..., on vcpu: Int) throws -> [(vector: Vector, tsc: UInt64)]
  {
    var found: [(vector: Vector, tsc: UInt64)] = []
    try until("vCPU \(vcpu) has written down \(count) interrupts") {
      for record in machine.log.next() where record.vcpu == vcpu {
        guard case .interrupt(let vector, _) = record.event, vectors.contains(vector) else { continue }
        found.append((vector, record.tsc))
      }
      return found.count >= count
    }
    return found
  }
}
