import APIC
import Evidence

/// What a picture keeps of a machine.
struct PictureMachine: Sendable {
  /// Interrupts that are of one kind.
  struct Kind: Hashable, Sendable {
    var vector: Vector
    var vcpu: Int
    var origin: String
    var way: String
    /// What it is called.
    var title: String

    /// Whether it is the same but for the way.
    func matches(_ other: Kind) -> Bool {
      (vector, vcpu, origin) == (other.vector, other.vcpu, other.origin)
    }
  }

  private struct Group {
    var count = 0
    /// The first of them, whose waits stand for all.
    var examples: [TimelineJourney] = []
  }

  /// How many kinds are told apart, how many interrupts of each are kept, and how many times of vCPUs.
  private static let kindLimit = 64
  private static let exampleLimit = 501
  private static let stayLimit = 30_000

  let name: String
  var notes: [String] = []
  /// The kinds, in the order in which they came.
  private(set) var kinds: [Kind] = []
  private var groups: [Kind: Group] = [:]
  private var stays: [TimelineStay] = []
  private(set) var otherKinds = 0

  init(name: String) { self.name = name }

  mutating func add(_ item: TimelineItem) {
    switch item {
    case .stay(let stay): if stays.count < Self.stayLimit { stays.append(stay) }
    case .journey(let journey): add(journey)
    case .occupancy, .mark: break
    }
  }

  private mutating func add(_ journey: TimelineJourney) {
    let kind = Kind(
      vector: journey.journey.vector, vcpu: journey.journey.vcpu, origin: journey.origin, way: journey.way,
      title: "\(journey.name) from \(journey.origin) to vCPU \(journey.journey.vcpu)")
    if groups[kind] == nil {
      guard kinds.count < Self.kindLimit else {
        otherKinds += 1
        return
      }
      kinds.append(kind)
    }
    groups[kind, default: Group()].count += 1
    guard groups[kind, default: Group()].examples.count < Self.exampleLimit else { return }
    groups[kind]?.examples.append(journey)
  }

  /// The picture of the interrupts of a kind, or of one that is the same but for the way; nil where there are none.
  func panel(matching kind: Kind) -> PicturePanel? {
    guard let own = groups[kind] == nil ? kinds.first(where: { $0.matches(kind) }) : kind, let group = groups[own]
    else { return nil }
    // The one in the middle, of those whose time is kept.
    let end = stays.last?.end ?? .max
    let within = group.examples.filter { ($0.end ?? 0) <= end }
    let sorted = (within.isEmpty ? group.examples : within).sorted { length(of: $0) < length(of: $1) }
    guard !sorted.isEmpty else { return nil }
    let journey = sorted[(sorted.count - 1) / 2]
    let waits = group.examples.compactMap(\.wait).map { $0.upperBound - $0.lowerBound }.sorted()
    guard let start = journey.start, let last = journey.end else { return nil }
    let margin = max((last - start) / 5, 500)
    let window = (start - margin)..<(last + margin)
    return PicturePanel(
      journey: journey, title: own.title, count: group.count, waits: waits,
      stays: stays.filter { $0.end > window.lowerBound && $0.start < window.upperBound })
  }

  private func length(of journey: TimelineJourney) -> Int64 {
    if let wait = journey.wait { return wait.upperBound - wait.lowerBound }
    return (journey.end ?? 0) - (journey.start ?? 0)
  }
}
