import Support

/// Known deviations: cases that are expected to fail on some hosts, each with the reason, as a file of the user's has them.
///
/// A line has a case's id, or a pattern of ids in which `*` stands for anything; the host, which is a pattern of the back end
/// and the kernel's release such as `kvm_intel/6.1.*`, or `*` for every host; and after these two words the reason. Empty
/// lines, and those that begin with `#`, say nothing.
public struct ExpectedFailures: Sendable {
  /// One of them.
  struct Entry: Sendable {
    var line: Int
    var cases: WildcardPattern
    var host: WildcardPattern
    var reason: String
  }

  /// Why a text is no such file.
  public struct Malformed: Error, CustomStringConvertible {
    /// What is wrong, and in which line.
    public let description: String
  }

  /// The longest line, in bytes.
  private static let lineLimit = 4096
  /// How many lines may say something.
  private static let countLimit = 10_000

  /// What the file is called.
  public let name: String
  private(set) var entries: [Entry] = []

  /// Reads the text of such a file.
  ///
  /// - Parameters:
  ///   - text: the file's text.
  ///   - name: what it is called, for messages.
  ///   - ids: the ids of all cases that there are: a line that is about none of them is a mistake.
  /// - Throws: `Malformed` for the first line that cannot be read.
  public init(_ text: String, name: String, ids: [String]) throws(Malformed) {
    self.name = name
    for (index, line) in text.linesOfText.enumerated() {
      let number = index + 1
      let words = line.split(maxSplits: 2, whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      func fail(_ reason: String) -> Malformed { Malformed(description: "line \(number): \(reason)") }
      guard line.utf8.count <= Self.lineLimit else { throw fail("it has more than \(Self.lineLimit) bytes") }
      guard words.count == 3 else {
        throw fail("it takes a case, a host and a reason, such as 'ipi.self.* kvm_intel/6.1.* lost'")
      }
      guard entries.count < Self.countLimit else { throw fail("there are more than \(Self.countLimit) entries") }
      let entry = Entry(
        line: number, cases: WildcardPattern(String(first)), host: WildcardPattern(String(words[1])),
        reason: String(words[2].trimmed))
      guard ids.contains(where: entry.cases.matches) else {
        throw fail(
          "no case's id is like '\(Escape.shown(first, atMost: 80))'; 'lapwing test --list' shows what there is")
      }
      entries.append(entry)
    }
  }

  /// The entry that is about a case on a host.
  func entry(for id: String, on host: SuiteReport.Host) -> Entry? {
    let place = "\(host.backEnd ?? "unknown")/\(host.kernel)"
    return entries.first { $0.cases.matches(id) && $0.host.matches(place) }
  }
}

extension ExpectedFailures {
  /// What a case came to, with what was expected of it: a failure is an expected one, and a pass is a failure, since the
  /// file is wrong then.
  ///
  /// - Parameters:
  ///   - item: the case's report.
  ///   - host: where it ran.
  public func judged(_ item: CaseReport, on host: SuiteReport.Host) -> CaseReport {
    guard let entry = entry(for: item.id, on: host) else { return item }
    var item = item
    switch item.verdict {
    case .failed:
      item.verdict = .expectedFailure
      item.reason = entry.reason
    case .passed:
      item.verdict = .failed
      item.failedRuns = item.runs
      item.reason = "it passed, and is expected to fail by \(name), line \(entry.line): \(entry.reason)"
    case .skipped, .expectedFailure: break
    }
    return item
  }
}
