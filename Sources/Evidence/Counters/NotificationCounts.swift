public import SystemPackage

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
