public import KVM
public import SystemPackage

/// How much a vCPU's statistics grew (KVM API, KVM_GET_STATS_FD).
public struct CounterEvidence: Hashable, Sendable {
  /// The growth of each count that this kernel keeps, by its name.
  public let growth: [String: UInt64]

  /// Growth that was found out somehow.
  public init(growth: [String: UInt64]) {
    self.growth = growth
  }

  /// The growth between two readings. States, peaks and histograms are left out: they are no counts.
  ///
  /// - Parameters:
  ///   - before: the earlier reading.
  ///   - after: the later one, of the same vCPU.
  public init(before: Statistics, after: Statistics) {
    let delta = after.delta(since: before)
    var growth: [String: UInt64] = [:]
    for descriptor in after.descriptors where descriptor.kind == .cumulative && before[descriptor.name] != nil {
      growth[descriptor.name] = delta[descriptor.name]
    }
    self.growth = growth
  }

  /// This growth and that on another machine, of the counts that both keep.
  func adding(_ other: CounterEvidence) -> CounterEvidence {
    var sum: [String: UInt64] = [:]
    for (name, growth) in growth { sum[name] = other[name].map { growth &+ $0 } }
    return CounterEvidence(growth: sum)
  }

  /// How much a count grew; nil, never 0, where this kernel does not keep it.
  public subscript(name: String) -> UInt64? { growth[name] }

  /// Interrupts that software injected at VM entry; with virtual-interrupt delivery it stays still.
  public var injections: UInt64? { self["irq_injections"] }

  /// How often the vCPU was woken from HLT.
  public var wakeups: UInt64? { self["halt_wakeup"] }
}

/// The host's counts of posted-interrupt vectors that its processors took outside of guests (/proc/interrupts).
///
/// They are of all processors and all machines together, so they are shown and nothing is concluded from them.
public struct NotificationCounts: Hashable, Sendable {
  /// Notifications that found the vCPU out of the guest (row PIN); nil where the host has no such row.
  public var notifications: UInt64?
  /// Notifications for a guest's own guest (row NPI); nil where the host has no such row.
  public var nestedNotifications: UInt64?
  /// Wake-ups of a vCPU that was halted (row PIW); nil where the host has no such row.
  public var wakeups: UInt64?

  /// The counts in the text of /proc/interrupts.
  public init(text: String) {
    notifications = Self.sum(of: "PIN:", in: text)
    nestedNotifications = Self.sum(of: "NPI:", in: text)
    wakeups = Self.sum(of: "PIW:", in: text)
  }

  /// The counts now; none where the file cannot be read.
  ///
  /// - Parameter path: the file.
  public static func read(_ path: FilePath = "/proc/interrupts") -> NotificationCounts {
    NotificationCounts(text: (try? TextFile.read(path)) ?? "")
  }

  /// How much they grew since an earlier reading.
  public func growth(since earlier: NotificationCounts) -> NotificationCounts {
    func growth(_ count: KeyPath<NotificationCounts, UInt64?>) -> UInt64? {
      guard let now = self[keyPath: count], let before = earlier[keyPath: count] else { return nil }
      return now >= before ? now - before : 0
    }
    var result = self
    result.notifications = growth(\.notifications)
    result.nestedNotifications = growth(\.nestedNotifications)
    result.wakeups = growth(\.wakeups)
    return result
  }

  private static func sum(of row: String, in text: String) -> UInt64? {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.first == row[...] else { continue }
      return words.dropFirst().prefix { UInt64($0) != nil }.reduce(0) { $0 &+ (UInt64($1) ?? 0) }
    }
    return nil
  }
}
