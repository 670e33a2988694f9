import ArgumentParser
import ForeignStates
import MachineState
import Reports
import Support

/// `lapwing diff`: what two states have different.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show what differs between two states.",
    discussion: """
      FIRST and SECOND are two snapshots, of Lapwing's or of QEMU's, or two files with register pages of local APICs. What \
      only one of them holds is left out and named. What every capture has anew, such as the TSC, is named apart and \
      makes no difference. Exit status: 0 where the states are the same; 1 where they differ; 65 for a file that is no \
      state.
      """)

  @Argument(help: "A snapshot, or register pages of local APICs; - for standard input.")
  var first: String

  @Argument(help: "Another one of the same kind.")
  var second: String

  @Flag(help: "Show in full what every capture has anew, too.")
  var all = false

  @Flag(help: "Leave guest memory out.")
  var noMemory = false

  @OptionGroup var options: StateSourceOptions

  @Option(help: "human or json.")
  var format = ReportFormat.human

  @OptionGroup var confinement: ConfinementOptions

  func run() throws {
    try perform { () throws(Failure) in
      try confinement.enter {
        $0.readState(first)
        $0.readState(second)
      }
      let difference = try compare()
      try show(difference, format) { $0.text(StandardOutput.style, showsAll: all) }
      return difference.same ? .success : .failed
    }
  }

  private func compare() throws(Failure) -> DifferenceReport {
    let before = try StateFile(first, as: options.source)
    let after = try StateFile(second, as: options.source)
    let (old, new) = (before.state, after.state)
    guard (old.format == .pages) == (new.format == .pages) else {
      throw Failure("'\(first)' and '\(second)' are not of one kind: one is a snapshot, one a register page", .badFile)
    }
    guard !noMemory, old.machine.memory != nil, new.machine.memory != nil,
      let earlier = try before.memory(), let later = try after.memory()
    else { return DifferenceReport(old, new) }
    return DifferenceReport(old, new, memory: DifferenceReport.MemoryDifference(earlier, later))
  }
}
