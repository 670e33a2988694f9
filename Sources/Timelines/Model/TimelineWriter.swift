/// What makes a file of a timeline, as it is recorded: it keeps no more than its format needs.
protocol TimelineWriter: Sendable {
  /// A machine comes.
  ///
  /// - Parameters:
  ///   - machine: the machine, as far as it is known.
  ///   - number: its number, from 1.
  ///   - output: gets what is to be written.
  mutating func begin(_ machine: TimelineMachine, _ number: Int, into output: inout [UInt8])

  /// Something of a machine comes. Items come in no order; those of a vCPU's stays and occupancy come in the order of time.
  mutating func add(_ item: TimelineItem, of number: Int, into output: inout [UInt8])

  /// No more of a machine comes.
  ///
  /// - Parameter notes: what has to be known to read its timeline, a line each.
  mutating func end(_ number: Int, notes: [String], into output: inout [UInt8])

  /// Nothing more comes.
  mutating func finish(into output: inout [UInt8])
}
