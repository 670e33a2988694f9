import ArgumentParser

/// A length of time as people write it: `10s`, `200ms`, `2m`, or seconds.
struct TimeLimit: ExpressibleByArgument, CustomStringConvertible {
  let duration: Duration
  let description: String

  /// That many seconds.
  static func seconds(_ count: Int) -> TimeLimit {
    TimeLimit(duration: .seconds(count), description: "\(count)s")
  }

  private init(duration: Duration, description: String) {
    self.duration = duration
    self.description = description
  }

  init?(argument: String) {
    let digits = argument.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
    let seconds: [String: Double] = ["": 1, "s": 1, "ms": 1e-3, "us": 1e-6, "m": 60, "min": 60]
    // A day is more than any guest of ours runs, and far from what a Duration cannot hold.
    guard let number = Double(digits), let unit = seconds[argument.dropFirst(digits.count).lowercased()],
      number * unit > 0, number * unit <= 86_400
    else { return nil }
    duration = .seconds(number * unit)
    description = argument
  }
}
