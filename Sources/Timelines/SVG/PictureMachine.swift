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

  /// Its kinds of one vector, source and vCPU: the way that most went.
  var mainKinds: [Kind] {
    var main: [Kind] = []
    for kind in kinds {
      guard let index = main.firstIndex(where: { $0.matches(kind) }) else {
        main.append(kind)
        continue
      }
      if count(of: kind) > count(of: main[index]) { main[index] = kind }
    }
    return main
  }

  private func count(of kind: Kind) -> Int { groups[kind]?.count ?? 0 }

  /// The picture of the interrupts of a kind, without what vCPUs did; nil where there are none.
  func panel(of kind: Kind) -> PicturePanel? {
    guard let group = groups[kind] else { return nil }
    // The one in the middle, of those whose time is kept.
    let end = stays.last?.end ?? .max
    let within = group.examples.filter { ($0.end ?? 0) <= end }
    let sorted = (within.isEmpty ? group.examples : within).sorted { length(of: $0) < length(of: $1) }
    guard !sorted.isEmpty else { return nil }
    let total = kinds.filter { $0.matches(kind) }.reduce(0) { $0 + count(of: $1) }
    return PicturePanel(
      journey: sorted[(sorted.count - 1) / 2], title: kind.title, count: group.count, total: total,
      waits: group.examples.compactMap(\.wait).map { $0.upperBound - $0.lowerBound }.sorted())
  }

  /// What vCPUs did in a time.
  func stays(in time: Range<Int64>) -> [TimelineStay] {
    stays.filter { $0.end > time.lowerBound && $0.start < time.upperBound }
  }

  private func length(of journey: TimelineJourney) -> Int64 {
    if let wait = journey.wait { return wait.upperBound - wait.lowerBound }
    return (journey.end ?? 0) - (journey.start ?? 0)
  }
}
