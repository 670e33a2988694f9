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
