struct PageWriter: TimelineWriter {
  mutating func begin(_ machine: TimelineMachine, _ number: Int, into output: inout [UInt8]) {}
  mutating func add(_ item: TimelineItem, of number: Int, into output: inout [UInt8]) {}
  mutating func end(_ number: Int, notes: [String], into output: inout [UInt8]) {}
  mutating func finish(into output: inout [UInt8]) {}
}
