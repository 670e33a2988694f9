public import ArgumentParser

/// A choice of several, written as its case is called.
///
/// It is told by that name. How ArgumentParser finds the texts otherwise asks the runtime for some six conformances a type, each of
/// which costs the start of the program some 20 microseconds.
public protocol ArgumentChoice: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

extension ArgumentChoice {
  /// The case's name.
  public var defaultValueDescription: String { rawValue }

  /// The cases' names.
  public static var allValueStrings: [String] { allCases.map { $0.rawValue } }

  /// None: a name says all.
  public static var allValueDescriptions: [String: String] { [:] }

  /// The cases' names.
  public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}
