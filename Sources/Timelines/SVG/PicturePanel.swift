import APIC
import Evidence

/// One interrupt in a picture: what its source's vCPU and its own did, and when what of it came about.
struct PicturePanel {
  let journey: TimelineJourney
  let title: String
  /// How many there are of its kind.
  let count: Int
  /// How many there are of its vector, source and vCPU, whichever way they went.
  let total: Int
  /// How long those that are kept waited, sorted.
  let waits: [Int64]

  private static let gutter = 58.0
  private static let strip = 20.0
  /// Between a sender's lane and the next, for the arrow.
  private static let gap = 26.0

  /// How long it took, in nanoseconds.
  var length: Int64 { max(1, (journey.end ?? 0) - (journey.start ?? 0)) }

  private var sender: Int? {
    if case .ipi(let vcpu?) = journey.journey.source, vcpu != journey.journey.vcpu { vcpu } else { nil }
  }

  /// Draws it.
  ///
  /// - Parameters:
  ///   - machine: its machine, which knows what vCPUs did.
  ///   - length: how much time has the width of the column, in nanoseconds, but for the margins.
  ///   - column: in which column.
  ///   - canvas: gets it, at its top.
  /// - Returns: how high it is.
  func draw(_ machine: PictureMachine, length: Int64, column: Int, on canvas: inout PictureCanvas) -> Double {
    let start = journey.start ?? 0
    let width = canvas.column - Self.gutter
    let left = canvas.left(of: column) + Self.gutter
    let margin = max(Double(length) * 0.12, 300)
    let scale = width / (Double(length) + 2 * margin)
    let time = PictureTime(origin: Double(start) - margin, left: left, width: width, scale: scale)
    var y = canvas.top
    let stays = machine.stays(in: Int64(time.origin)..<Int64(time.origin + width / scale) + 1)
    canvas.text(title, canvas.left(of: column), y + 16, "title")
    canvas.text(subtitle, canvas.left(of: column), y + 33, "quiet")
    y += 44
    var lanes: [Int: Double] = [:]
    for vcpu in [sender, journey.journey.vcpu].compactMap(\.self) {
      lanes[vcpu] = y
      draw(stays.filter { $0.vcpu == vcpu }, of: vcpu, at: y, time, on: &canvas)
      y += Self.strip + Self.gap
    }
    let target = y - Self.strip - Self.gap
    y += 6 - Self.gap
    drawMoments(from: target, bars: y, time, &canvas)
    if let sender, let from = lanes[sender], let moment = journey.journey.accepted ?? journey.start {
      canvas.arrow(at: time.x(moment), from: from + Self.strip, to: target)
    }
    y += 16
    y = drawLabels(at: y, time, &canvas)
    if let exits = exits(in: stays) {
      canvas.text(exits, left, y + 13, "quiet")
      y += 16
    }
    drawUnit(at: y, left + width, scale, &canvas)
    return y + 34 - canvas.top
  }

  private var subtitle: String {
    guard total > 1 else { return journey.way }
    var text = journey.way + (count == total ? ", all \(count)" : ", \(count) of \(total)")
    if let last = waits.last {
      text += "; waited \(PictureTime.text(waits[(waits.count - 1) / 2])) (median), \(PictureTime.text(last)) (longest)"
    }
    return text
  }

  private func draw(
    _ stays: [TimelineStay], of vcpu: Int, at y: Double, _ time: PictureTime, on canvas: inout PictureCanvas
  ) {
    canvas.text("vCPU \(vcpu)", time.left - 8, y + 14, "lane")
    canvas.line(time.left, y + Self.strip / 2, time.left + time.width, y + Self.strip / 2, "axis")
    // Halts lie behind what entries and exits tell, which is finer.
    for stay in stays.sorted(by: { $0.place.isHalt && !$1.place.isHalt }) {
      let (from, to) = (time.clamped(stay.start), time.clamped(stay.end))
      guard to > from else { continue }
      let (style, name) = Self.style(of: stay.place)
      canvas.box(from, y, to - from, Self.strip, style, title: "\(name), \(PictureTime.text(stay.end - stay.start))")
      if to - from > Double(name.count) * 5.9 + 8 { canvas.text(name, from + 4, y + 14, "exit") }
    }
  }

  private func drawMoments(from target: Double, bars: Double, _ time: PictureTime, _ canvas: inout PictureCanvas) {
    if let wait = journey.wait {
      let width = time.x(wait.upperBound) - time.x(wait.lowerBound)
      canvas.box(time.x(wait.lowerBound), bars, width, 9, "wait", title: "waits")
    }
    if let service = journey.service {
      let width = time.x(service.upperBound) - time.x(service.lowerBound)
      canvas.box(time.x(service.lowerBound), bars, width, 9, "service", title: "is served")
    }
    for (_, moment) in journey.moments {
      canvas.line(time.x(moment), target - 3, time.x(moment), bars + 12, "moment")
    }
  }

  /// A word below each moment, in as many lines as they need not to lie on each other.
  private func drawLabels(at y: Double, _ time: PictureTime, _ canvas: inout PictureCanvas) -> Double {
    var ends: [Double] = []
    for (name, moment) in journey.moments.sorted(by: { $0.time < $1.time }) {
      let offset = moment - (journey.start ?? 0)
      let text = offset == 0 ? name : "\(name) +\(PictureTime.text(offset))"
      let size = Double(text.count) * 6.4
      let x = min(time.x(moment), time.left + time.width - size)
      let row = ends.firstIndex { $0 + 6 <= x } ?? ends.count
      if row == ends.count { ends.append(0) }
      ends[row] = x + size
      canvas.text(text, x, y + 12 + Double(row) * 15, "moment")
    }
    return y + Double(ends.count) * 15 + 4
  }

  /// Which exits of its vCPU there were from its first moment to its last; nil where nothing tells.
  private func exits(in stays: [TimelineStay]) -> String? {
    let span = (journey.start ?? 0)...(journey.end ?? 0)
    let own = stays.filter { $0.vcpu == journey.journey.vcpu && !$0.place.isHalt }
    guard !own.isEmpty else { return nil }
    let names = own.filter { span.contains($0.start) }.compactMap { stay in
      if case .outside(let exit) = stay.place { exit } else { nil }
    }
    let more = names.count > 4 ? " and \(names.count - 4) more" : ""
    return "exits of vCPU \(journey.journey.vcpu) meanwhile: "
      + (names.isEmpty ? "none" : names.prefix(4).joined(separator: ", ") + more)
  }

  private func drawUnit(at y: Double, _ right: Double, _ scale: Double, _ canvas: inout PictureCanvas) {
    let unit = PictureTime.unit(atMost: 110 / scale)
    let width = Double(unit) * scale
    canvas.line(right - width, y + 4, right, y + 4, "scale")
    canvas.line(right - width, y + 1, right - width, y + 7, "scale")
    canvas.line(right, y + 1, right, y + 7, "scale")
    canvas.text(PictureTime.text(unit), right - width, y + 20, "unit")
  }

  private static func style(of place: TimelineStay.Place) -> (style: String, name: String) {
    switch place {
    case .guest: ("guest", "in guest")
    case .halted(let slept): ("halted", slept ? "halted" : "halted, polled for")
    case .outside(let exit): (ExitClass(exit).rawValue, exit)
    }
  }
}

extension TimelineStay.Place {
  /// Whether it is known by a wake-up alone.
  fileprivate var isHalt: Bool { if case .halted = self { true } else { false } }
}

/// Where moments stand in a panel, and how lengths of time are written.
struct PictureTime {
  /// The time at the left edge, in nanoseconds.
  var origin: Double
  var left: Double
  var width: Double
  /// How much a nanosecond takes.
  var scale: Double

  func x(_ time: Int64) -> Double { left + (Double(time) - origin) * scale }

  /// The same, within the panel.
  func clamped(_ time: Int64) -> Double { min(max(x(time), left), left + width) }

  /// A length of time with three digits that count.
  static func text(_ nanoseconds: Int64) -> String {
    let size = Double(nanoseconds.magnitude)
    for (unit, scale) in [("s", 1e9), ("ms", 1e6), ("µs", 1e3)] where size >= scale * 0.9995 {
      let value = size / scale
      let digits = value < 9.995 ? 100.0 : value < 99.95 ? 10.0 : 1.0
      let parts = Int64((value * digits).rounded())
      let rest = String(parts % Int64(digits))
      let zeros = String(repeating: "0", count: digits == 100 ? 2 - rest.count : 0)
      let fraction = parts % Int64(digits) == 0 ? "" : "." + zeros + rest
      return (nanoseconds < 0 ? "-" : "") + "\(parts / Int64(digits))\(fraction) \(unit)"
    }
    return "\(nanoseconds) ns"
  }

  /// The roundest length of time that is no longer.
  static func unit(atMost nanoseconds: Double) -> Int64 {
    var unit: Int64 = 1
    while Double(unit) * 10 <= nanoseconds, unit < 1_000_000_000_000 { unit *= 10 }
    for factor: Int64 in [5, 2] where Double(unit * factor) <= nanoseconds { return unit * factor }
    return unit
  }
}
