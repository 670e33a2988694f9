import ArgumentParser
import MachineState
import Reports
import Support

/// `lapwing diff`: what two states have different.
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show what differs between two states.",
    discussion: """
      FIRST and SECOND are two snapshots, or two register pages of local APICs. What every capture has anew, such as the \
      TSC, is named apart and makes no difference. Exit status: 0 where the states are the same; 1 where they differ; 65 \
      for a file that is no state.
      """)

  @Argument(help: "A snapshot, or a register page of a local APIC.")
  var first: String

  @Argument(help: "Another one of the same kind.")
  var second: String

  @Flag(help: "Show in full what every capture has anew, too.")
  var all = false

  @Flag(help: "Leave guest memory out.")
  var noMemory = false

  @Flag(help: "The files are register pages, whatever they look like.")
  var page = false

  @Option(help: "human or json.")
  var format = ReportFormat.human

  func run() throws {
    try perform { () throws(Failure) in
      let difference = try compare()
      try show(difference, format) { $0.text(StandardOutput.style, showsAll: all) }
      return difference.same ? .success : .failed
    }
  }

  private func compare() throws(Failure) -> DifferenceReport {
    switch (try StateFile.read(first, isPage: page), try StateFile.read(second, isPage: page)) {
    case (.page(let before), .page(let after)): return DifferenceReport(page: before, after)
    case (.machine(let before), .machine(let after)):
      guard !noMemory, before.memory != nil, after.memory != nil else { return DifferenceReport(before, after) }
      let memory = DifferenceReport.MemoryDifference(try StateFile.memory(of: first), try StateFile.memory(of: second))
      return DifferenceReport(before, after, memory: memory)
    case (.page, .machine), (.machine, .page):
      throw Failure("'\(first)' and '\(second)' are not of one kind: one is a snapshot, one a register page", .badFile)
    }
  }
}
