import APIC
import Evidence

/// A timeline as a picture of bounded size: of each kind of interrupt the one whose wait was in the middle, with what its
/// vCPUs did meanwhile, and how many of the kind there were. Two machines stand side by side.
struct PictureWriter: TimelineWriter {
  /// How many kinds of a picture of one column are shown, and of each of two columns.
  private static let panelLimit = 12
  /// How many machines are looked at; of the others it is only said that they are.
  private static let machineLimit = 12

  private var machines: [Int: PictureMachine] = [:]
  private var leftOut = 0

  mutating func begin(_ machine: TimelineMachine, _ number: Int, into output: inout [UInt8]) {
    if machines.count < Self.machineLimit {
      machines[number] = PictureMachine(name: machine.name)
    } else {
      leftOut += 1
    }
  }

  mutating func add(_ item: TimelineItem, of number: Int, into output: inout [UInt8]) {
    machines[number]?.add(item)
  }

  mutating func end(_ number: Int, notes: [String], into output: inout [UInt8]) {
    machines[number]?.notes = notes
  }

  mutating func finish(into output: inout [UInt8]) {
    let all = machines.sorted { $0.key < $1.key }.map(\.value)
    let sideBySide = all.count == 2
    var canvas = PictureCanvas(
      column: sideBySide ? 600 : 940, columns: sideBySide ? 2 : 1)
    if sideBySide {
      drawSideBySide(all[0], all[1], &canvas)
    } else {
      drawInOneColumn(all, &canvas)
    }
    output += Array(canvas.document(title: all.map(\.name).joined(separator: " and ")).utf8)
  }

  private func drawSideBySide(_ left: PictureMachine, _ right: PictureMachine, _ canvas: inout PictureCanvas) {
    for (column, machine) in [left, right].enumerated() { canvas.heading(machine.name, column: column) }
    canvas.skip(PictureCanvas.headingHeight)
    var kinds = left.mainKinds
    kinds += right.mainKinds.filter { kind in !kinds.contains { $0.matches(kind) } }
    for kind in kinds.prefix(Self.panelLimit) {
      let panels = [left, right].map { machine in
        machine.mainKinds.first { $0.matches(kind) }.flatMap(machine.panel)
      }
      // One scale for both, so that lengths can be compared.
      let length = panels.compactMap { $0?.length }.max() ?? 1
      var height = PictureCanvas.headingHeight
      for (column, (panel, machine)) in zip(panels, [left, right]).enumerated() {
        if let panel {
          height = max(height, panel.draw(machine, length: length, column: column, on: &canvas))
        } else {
          canvas.absent("\(kind.title): none", column: column)
        }
      }
      canvas.skip(height)
    }
    finish([left, right], kinds.count - Self.panelLimit, &canvas)
  }

  private func drawInOneColumn(_ all: [PictureMachine], _ canvas: inout PictureCanvas) {
    var room = Self.panelLimit
    var left = 0
    for machine in all {
      guard room > 0 || machine.kinds.isEmpty else {
        left += machine.kinds.count
        continue
      }
      canvas.heading(machine.name, column: 0)
      canvas.skip(PictureCanvas.headingHeight)
      if machine.kinds.isEmpty { canvas.note("No interrupt was seen.") }
      for kind in machine.kinds.prefix(room) {
        guard let panel = machine.panel(of: kind) else { continue }
        canvas.skip(panel.draw(machine, length: panel.length, column: 0, on: &canvas))
      }
      left += max(0, machine.kinds.count - room)
      room = max(0, room - machine.kinds.count)
    }
    finish(all, left, &canvas)
  }

  /// What is not shown, and what has to be known.
  private func finish(_ machines: [PictureMachine], _ left: Int, _ canvas: inout PictureCanvas) {
    if left > 0 { canvas.note("\(left) more kinds of interrupts are not shown here.") }
    if leftOut > 0 { canvas.note("\(leftOut) more machines are not shown here.") }
    let others = machines.reduce(0) { $0 + $1.otherKinds }
    if others > 0 { canvas.note("\(others) interrupts of yet other kinds are not counted here.") }
    var told: Set<String> = []
    for note in machines.flatMap(\.notes).prefix(8) where told.insert(note).inserted { canvas.note(note) }
  }
}

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
