public import APIC
import KVM
import VMM

extension TestContext {
  /// Waits until `condition` holds.
  ///
  /// - Throws: `ScenarioFailure` when it does not come about in time, or when the guest has ended meanwhile.
  ///
  /// - Parameters:
  ///   - what: the condition in words.
  ///   - limit: how long to wait; nil for the test's patience.
  ///   - condition: looked at again and again.
  public func until(_ what: String, within limit: Duration? = nil, _ condition: () throws -> Bool) throws {
    let start = ContinuousClock.now
    var pause = Duration.microseconds(5)
    while try !condition() {
      if let reason = machine.stop.reason { throw ScenarioFailure("the guest ended before \(what): \(reason)") }
      // Asked anew each time: a condition may withhold the stimulus, after which there is little to wait for.
      guard ContinuousClock.now - start < limit ?? patience else {
        throw ScenarioFailure("it did not come about in time that \(what)")
      }
      Pause.sleep(pause)
      pause = min(pause * 2, .milliseconds(1))
    }
  }

  /// Expects that something holds now.
  public func check(_ what: String, _ holds: Bool, saw: (any CustomStringConvertible)? = nil) throws {
    guard !holds else { return }
    throw ScenarioFailure("expected that \(what)" + (saw.map { "; saw \($0)" } ?? ""))
  }

  /// Expects two values to be equal.
  public func check<Value: Equatable>(_ what: String, _ value: Value, equals expected: Value) throws {
    guard value != expected else { return }
    throw ScenarioFailure("\(what): expected \(expected), saw \(value)")
  }

  /// Expects that a vCPU takes `vector` at least `count` times in all.
  public func expectAtLeast(_ count: Int, of vector: Vector, on vcpu: Int) throws {
    let name = "vCPU \(vcpu) takes \(vector) " + (count == 1 ? "once" : "\(count) times")
    do {
      try until(name) { taken(vector, on: vcpu) >= count }
    } catch let failure as ScenarioFailure {
      throw ScenarioFailure("\(failure); it took it \(taken(vector, on: vcpu)) times")
    }
  }

  /// Waits until KVM has put a vCPU to sleep in HLT.
  public func untilHalted(_ vcpu: Int) throws {
    try until("vCPU \(vcpu) is halted") { try statistics[vcpu].read()["blocking"] == 1 }
  }
}

/// Something in a scenario is not as expected.
public struct ScenarioFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What, in words.
  public let description: String
  /// The trait of a host for want of which it may be so; nil where it says nothing of a trait.
  public var missingTrait: HostTrait?

  /// A failure with those words.
  public init(_ description: String) {
    self.description = description
  }
}

extension TestContext {
  /// An expectation that decides whether the host has a trait: where it alone is not met, the host lacks that.
  ///
  /// A guest that ended meanwhile decides nothing, and neither does anything else that a scenario expects.
  ///
  /// - Parameters:
  ///   - trait: what it decides on.
  ///   - expectation: throws where it is not met.
  func deciding<Value>(_ trait: HostTrait, _ expectation: () throws -> Value) throws -> Value {
    do {
      return try expectation()
    } catch var failure as ScenarioFailure {
      if machine.stop.reason == nil { failure.missingTrait = trait }
      throw failure
    }
  }
}

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
