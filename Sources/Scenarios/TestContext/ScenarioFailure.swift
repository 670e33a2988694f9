import VMM

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
