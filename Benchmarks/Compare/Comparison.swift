import Figures
import Foundation

/// All that was measured.
struct Comparison: Encodable {
  let host: Host
  let rounds: Int
  let contests: [ContestResult]
  /// What could not be run, and why.
  let skipped: [String]

  /// As JSON, its keys sorted.
  func json() throws(Failure) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      throw Failure("the result cannot be encoded: \(error)", Failure.Status.internalFault)
    }
  }
}

/// A contest and how it went.
struct ContestResult: Encodable {
  let name: String
  let contenders: [ContenderResult]
}

/// What one program took.
struct ContenderResult: Encodable {
  let name: String
  let command: [String]
  let milliseconds: Figures
  /// Its time over that of the contest's first program, round by round.
  let ratio: Figures
  /// The median of its runs' largest resident sets.
  let peakKiB: Double
  /// The single runs, in their order.
  let samples: [Double]

  init(_ contender: Contender, runs: [Run], base: [Run]) {
    name = contender.name
    command = [contender.program] + contender.arguments
    samples = runs.map(\.milliseconds)
    milliseconds = Figures(of: samples)
    ratio = Figures(of: zip(runs, base).map { $0.milliseconds / $1.milliseconds })
    peakKiB = Figures(of: runs.map { Double($0.peakKiB) }).median
  }
}

/// Where it was measured.
struct Host: Encodable {
  let processor: String
  let processors: Int
  let kernel: String

  static var current: Host {
    // Files of /proc have no size, which String's own reader wants.
    let cpuinfo = text("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
    return Host(
      processor: cpuinfo?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown",
      processors: ProcessInfo.processInfo.activeProcessorCount,
      kernel: text("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private static func text(_ path: String) -> String {
    let handle = FileHandle(forReadingAtPath: path)
    return String(decoding: (try? handle?.readToEnd()) ?? Data(), as: UTF8.self)
  }
}
