import ArgumentParser

/// For whom a report is.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  /// A person.
  case human
  /// A program; docs/ has the keys.
  case json
}
