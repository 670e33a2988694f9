import APIC
import VMM

/// Interrupts under which something else happens.
extension TestContext {
  /// The vectors of the load.
  static let loadVectors = (0xa0..<0xb0).map { Vector(rawValue: UInt8($0)) }

  /// Sends a vCPU sixteen MSIs a round, each through a vector of its own, and expects that it takes each exactly once
  /// more.
  ///
  /// - Parameters:
  ///   - vcpu: the vCPU's index; its interrupts are let in.
  ///   - rounds: how many.
  ///   - body: called with the round's number, from 0, when half of its interrupts are sent.
  func load(_ vcpu: Int, rounds: Int, _ body: (Int) throws -> Void = { _ in }) throws {
    let vectors = Self.loadVectors
    let before = vectors.map { taken($0, on: vcpu) }
    for round in 0..<rounds {
      for (index, vector) in vectors.enumerated() {
        if index == vectors.count / 2 { try body(round) }
        try signal(MSIMessage(vector: vector, destination: self[vcpu: vcpu].destination))
      }
      for (vector, count) in zip(vectors, before) {
        try expectAtLeast(count + round + 1, of: vector, on: vcpu)
      }
    }
    try fence(vcpu)
    for (vector, count) in zip(vectors, before) {
      try check("interrupts through \(vector)", taken(vector, on: vcpu), equals: count + rounds)
    }
  }
}
