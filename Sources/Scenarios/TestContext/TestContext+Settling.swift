public import APIC
import VMM

/// For interrupts that come more than once, or should not come any more.
extension TestContext {
  /// The vector that `drain` uses; the lowest that is no exception's, so that everything else goes first.
  static let drainVector: Vector = 0x20

  /// How often a vCPU has taken `vector` in all.
  public func taken(_ vector: Vector, on vcpu: Int) -> Int { machine.recorded(vector, on: vcpu) }

  /// Expects that a vCPU takes `vector` at least `count` times in all.
  public func expectAtLeast(_ count: Int, of vector: Vector, on vcpu: Int) throws {
    try until("vCPU \(vcpu) takes \(vector) at least \(count) times") { taken(vector, on: vcpu) >= count }
  }

  /// Waits until a vCPU, whose interrupts are let in, has taken what is pending: an interrupt of lower priority is sent
  /// after it and awaited.
  public func drain(_ vcpu: Int) throws {
    let before = taken(Self.drainVector, on: vcpu)
    try signal(MSIMessage(vector: Self.drainVector, destination: self[vcpu: vcpu].destination))
    try until("vCPU \(vcpu) has taken all that was pending") { taken(Self.drainVector, on: vcpu) > before }
  }

  /// Expects that a vCPU has taken `vector` exactly `count` times once it has taken what is pending.
  public func expectDrained(_ count: Int, of vector: Vector, on vcpu: Int) throws {
    try drain(vcpu)
    try check("vCPU \(vcpu) takes \(vector)", taken(vector, on: vcpu), equals: count)
  }

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
