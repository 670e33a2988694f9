import ArgumentParser
import Exploration
import JSON
import KVM
import ReferenceModel
import Support
import SystemPackage

/// `lapwing explore`: random histories on KVM and on the reference model.
struct ExploreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explore",
    abstract: "Compare KVM's interrupt controllers with a reference model, by random histories.",
    discussion: """
      Every answer and all visible state are compared after each step; a difference is shrunk to the shortest history \
      that shows it. docs/oracle.md says what is compared. Exit status: 0 where nothing differed; 1 where something did; \
      69 where the host has run out of something; 130 after Ctrl-C. Both with a report of what was found.
      """)

  @Option(help: "What decides every history; without it a fresh one, which is printed.")
  var seed: UInt64?

  @Option(help: "How many steps a history has at the most.")
  var steps = 2000

  @Option(name: .customLong("for"), help: "How long to explore, such as 10m.")
  var length = TimeLimit.seconds(10)

  @Option(help: "How many histories run side by side.")
  var jobs = 1

  @Option(help: "Families of operations to choose among, such as ioapic,timer; --list names them.")
  var only: String?

  @Flag(help: "Leave out what needs a vCPU that executes instructions.")
  var hostSide = false

  @Flag(help: "Leave out what several threads do at the same time.")
  var sequential = false

  @Option(help: "A deviation the model is not to have: exploring ends when it shows; --host-deviations names them.")
  var without: [String] = []

  @Option(help: "Explore the model's image of a kernel with a fault instead of KVM; --list names them.")
  var fault: String?

  @Option(help: "Run the history of a file again, and tell it.")
  var replay: String?

  @Flag(help: "With --replay: show the kernel's kvm events of each step; needs root.")
  var trace = false

  @Option(name: .shortAndLong, help: "A file for the history of the difference that shows most often, to be replayed.")
  var output: String?

  @Option(
    help: "A file for what came of it as JSON: findings, rules of the model and pairs of operations that were met.")
  var report: String?

  @Flag(help: "Show where this host's KVM is known to differ from the manuals, with its function and versions.")
  var hostDeviations = false

  @Flag(help: "Show the operations and the faults.")
  var list = false

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    guard 1...20_000 ~= steps else { throw ValidationError("--steps takes a number from 1 to 20000") }
    guard 1...256 ~= jobs else { throw ValidationError("--jobs takes a number from 1 to 256") }
    guard !trace || replay != nil else { throw ValidationError("--trace is for --replay") }
    guard replay == nil || output == nil && report == nil else {
      throw ValidationError("--replay writes no file: leave out --output and --report")
    }
    if let fault, Fault.named(fault) == nil {
      throw ValidationError("there is no fault '\(fault)'; 'lapwing explore --list' shows what there is")
    }
    for name in chosen where OperationFamily(rawValue: name) == nil {
      throw ValidationError(
        "there is no family '\(name)'; there are \(OperationFamily.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    for name in without where !Deviation.allCases.contains(where: { $0.name == name }) {
      throw ValidationError(
        "there is no deviation '\(name)'; 'lapwing explore --host-deviations' shows those of this host")
    }
  }

  private var chosen: [String] { (only ?? "").split(separator: ",").map(String.init) }

  func run() throws {
    try perform { () throws(Failure) in
      try confinement.enter { needs in
        needs.read(replay)
        needs.write(output, report)
        if trace { needs.record() }
      }
      if list { return try showList() }
      if hostDeviations { return try showDeviations() }
      if let replay { return try runAgain(replay) }
      return try explore()
    }
  }

  private func showList() throws(Failure) -> ExitStatus {
    var lines = ["operations"]
    lines += OperationKind.all.map { "  \($0.name.padded(18)) \($0.summary)\($0.needsGuest ? " (a guest runs)" : "")" }
    lines.append("faults")
    lines += Fault.all.map { "  \($0.name.padded(28)) \($0.summary)" }
    try ReportDestination.standardOutput.write(lines.joined(separator: "\n"))
    return .success
  }

  private func showDeviations() throws(Failure) -> ExitStatus {
    let lines = Deviations.of(HostSurvey.take()).members.map {
      "\($0.name.padded(40)) \($0.function); \($0.versions)"
    }
    try ReportDestination.standardOutput.write(lines.joined(separator: "\n"))
    return .success
  }

  private func explore() throws(Failure) -> ExitStatus {
    // What a kernel is known to do otherwise hangs on its back end.
    guard fault != nil || HostSurvey.take().backEnd != nil else {
      throw Failure(
        "the module behind /dev/kvm is not known, and with it what its KVM is known to do otherwise: is /sys mounted?",
        .hostCannot)
    }
    try refuseOneFile(for: ("--output", output), and: ("--report", report))
    let seed = seed ?? UInt64.random(in: 0...UInt64.max)
    let destination = if let output { try ReportDestination(file: output) } else { ReportDestination?.none }
    let reportDestination = if let report { try ReportDestination(file: report) } else { ReportDestination?.none }
    let bench = try ExplorationBench(fault: fault, without: without, hasGuest: !hostSide)
    var options = Explorer.Options(seed: seed)
    options.steps = steps
    options.families = Set(chosen.compactMap(OperationFamily.init))
    options.hasGuest = bench.hasGuest
    options.omitted = Set(bench.omitted.map(\.name))
    if sequential { options.omitted.insert("concurrent.part") }
    // Who has something shown wants to see that.
    options.findings = fault == nil && without.isEmpty ? 20 : 1
    guard
      !HistoryGenerator(seed: 0, families: options.families, omitted: options.omitted, hasGuest: options.hasGuest)
        .isEmpty
    else {
      throw Failure(
        "no operation of these families is left: --host-side leaves out what needs a guest, --sequential what is done at the same time, and a host what it cannot do",
        .usage)
    }
    try ReportDestination.standardOutput.write("seed \(seed), \(bench.subject)")
    for omission in bench.omitted {
      try ReportDestination.standardOutput.write("without \(omission.name): \(omission.reason)")
    }
    let session = ExplorationSession(Explorer(bench.bench, options))
    let signal = try session.run(jobs: jobs, for: length.duration)
    let result = session.result
    let report = ExplorationText(result, duration: session.duration, deviations: bench.bench.deviations)
    try ReportDestination.standardOutput.write(report.text)
    // A host that had no room for the first step has told nothing that could take the place of an earlier report.
    if let reportDestination, result.operations > 0 {
      try reportDestination.write(
        document(
          ExplorationReport(
            result, seed: seed, subject: bench.subject, duration: session.duration, omitted: bench.omitted)))
    }
    // What never shows again is of no use to a replay, if there is something else.
    if let surest = result.findings.max(by: { $0.finding.rate.shown < $1.finding.rate.shown }), let destination {
      let file = HistoryFile(history: surest.finding.history, fault: fault, mismatches: surest.finding.mismatches)
      try destination.write(file.text)
    }
    if let failure = result.failure { throw Failure(failure) }
    if let signal { return ExitStatus(signal: signal) }
    return result.findings.isEmpty ? .success : .failed
  }

  private func runAgain(_ name: String) throws(Failure) -> ExitStatus {
    let file: HistoryFile
    let bytes = try readInput(name, limit: HistoryFile.limits.bytes)
    do throws(JSONError) {
      file = try HistoryFile(reading: bytes)
    } catch {
      throw Failure("'\(name)' is no history: \(TextLine("\(error)"))", .badFile)
    }
    let bench = try ExplorationBench(fault: fault ?? file.fault, without: without, hasGuest: !hostSide)
    guard bench.hasGuest || !file.history.steps.contains(where: \.kind.needsGuest) else {
      throw Failure("the history has steps that need a guest, which --host-side leaves out", .usage)
    }
    guard !trace || bench.isKernel else {
      throw Failure("the model's image of a kernel leaves no kernel's events; leave out --trace", .usage)
    }
    let recorder = trace ? try StepRecorder() : nil
    defer { recorder?.close() }
    var told: [ToldStep] = []
    var (shown, runs) = (0, 0)
    do throws(KVMError) {
      // What actors do at the same time comes out in one way or another: the first run that shows a difference is told.
      repeat {
        let own = try bench.bench.tell(
          file.history, recorder: (begin: { recorder?.begin() }, end: { recorder?.end() ?? [] }))
        if shown == 0 { told = own }
        runs += 1
        if own.last?.mismatches.isEmpty == false { shown += 1 }
      } while file.history.isConcurrent && runs < Self.concurrentRuns
    } catch {
      throw Failure(error)
    }
    let rate = file.history.isConcurrent ? ["shown in \(shown) of \(runs) runs"] : []
    let text =
      ExplorationText.table(told) + rate + ["as source:"]
      + file.history.source(bench.bench.deviations).map { "  " + $0 }
    try ReportDestination.standardOutput.write(text.joined(separator: "\n"))
    return told.last?.mismatches.isEmpty == false ? .failed : .success
  }
}

extension ExploreCommand {
  /// How often a history is run again in which actors do something at the same time.
  private static let concurrentRuns = 10
}

extension String {
  /// The text with blanks behind it, up to a width.
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
