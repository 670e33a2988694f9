public import ArgumentParser

/// A choice of several, written as its case is called.
///
/// A default value is told by that name. How ArgumentParser finds a text otherwise asks the runtime for four conformances, each of
/// which costs the start of the program some 20 microseconds.
public protocol ArgumentChoice: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

extension ArgumentChoice {
  /// The case's name.
  public var defaultValueDescription: String { rawValue }
}
