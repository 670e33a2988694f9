public import ArgumentParser
import Evidence
import KVM
import Reports
public import Scenarios
import Support

/// How the suite is run, from the command line.
struct SuiteOptions: ParsableArguments {
  @Option(help: "Run part I of N, from 1/N to N/N: every case is in one of them.")
  var shard: SuiteShard?

  @Option(help: "How often to run every case.")
  var `repeat` = 1

  @Option(name: .shortAndLong, help: "How many cases to run at the same time.")
  var jobs = 1

  @Option(help: "How long a scenario may wait for each thing that it expects, such as 10s.")
  var timeout = TimeLimit.seconds(60)

  @Option(
    help: """
      What this host must have, such as apicv, posted or tracepoints, with commas between: a case that would be skipped \
      for want of it fails. A feature's id from 'lapwing doctor --format json', or a capability's name.
      """)
  var require: [Requirements] = []

  /// How many runs one report can be of.
  private static let runLimit = 1_000_000

  func validate() throws {
    guard (1...1_000_000).contains(`repeat`) else { throw ValidationError("--repeat takes a number from 1 to 1000000") }
    guard (1...256).contains(jobs) else { throw ValidationError("--jobs takes a number from 1 to 256") }
  }

  /// The cases that the filters and the shard select.
  func select(_ filters: [String]) throws(Failure) -> [ScenarioCase] {
    let cases: [ScenarioCase]
    do throws(SuiteSelection.UnknownFilter) {
      cases = try SuiteSelection(filters: filters, shard: shard).select(from: ScenarioCase.all(of: Scenario.catalogue))
    } catch {
      throw Failure("\(error); 'lapwing test --list' shows what there is", .usage)
    }
    guard cases.count * `repeat` <= Self.runLimit else {
      throw Failure(
        "--repeat \(`repeat`) makes more than \(Self.runLimit) runs of \(cases.count) cases, and each is reported",
        .usage)
    }
    return cases
  }

  private var needs: [Need] { require.flatMap(\.needs) }

  /// What runs the suite so.
  func runner(
    _ system: System, _ host: HostKnowledge, tracing: TracePool, sabotage: SabotageKind?, timeline: StartedTimeline?
  ) -> SuiteRunner {
    var runner = ScenarioRunner(system: system, host: host, tracing: tracing)
    if let timeline {
      runner.keep = { timeline.file.add($1, of: $0, isCompared: timeline.comparesAPICv) }
    }
    runner.patience = timeout.duration
    runner.requirements = Set(needs)
    var suite = SuiteRunner(runner, sabotage: sabotage)
    suite.jobs = jobs
    suite.rounds = `repeat`
    return suite
  }

  /// The same for the report.
  func described(_ filters: [String]) -> SuiteReport.Options {
    SuiteReport.Options(
      filters: filters, shard: shard?.description, rounds: `repeat`, jobs: jobs, patience: timeout.duration,
      requirements: needs.map(\.name))
  }
}

/// What a host must have, as people write it: `apicv,posted`.
struct Requirements: ExpressibleByArgument {
  let needs: [Need]

  init?(argument: String) {
    let names = argument.split(separator: ",")
    needs = names.compactMap { Need(named: String($0)) }
    guard !names.isEmpty, needs.count == names.count else { return nil }
  }
}

extension SuiteShard: ExpressibleByArgument {
  /// A shard as `2/3`.
  public init?(argument: String) { self.init(argument) }
}

/// What is known of the suite's results beforehand, from the command line.
struct KnownResults: ParsableArguments {
  @Option(
    help: """
      An earlier report of the suite, as JSON: show what has changed since, and fail for a regression only, as 'lapwing \
      compare' does.
      """)
  var baseline: String?

  @Option(
    help: """
      A file of known deviations: lines of a case, a host such as 'kvm_intel/6.1.*' or '*', and a reason. What fails there \
      counts as expected, and what passes as failed.
      """)
  var expect: String?

  var isEmpty: Bool { baseline == nil && expect == nil }

  /// The earlier report and its name.
  ///
  /// - Parameter cases: what is to be run: nothing would be compared where it has none of them.
  func readBaseline(of cases: [ScenarioCase]) throws(Failure) -> (name: String, report: SuiteReport)? {
    guard let baseline else { return nil }
    let report = try readDocument(SuiteReport.self, schema: SuiteReport.schema, from: baseline)
    guard !Set(report.cases.map(\.id)).isDisjoint(with: cases.map(\.id)) else {
      throw Failure(
        "'\(baseline)' has none of the cases that are to be run, so that nothing could be compared", .badFile)
    }
    return (baseline, report)
  }

  /// The known deviations.
  func readExpectations() throws(Failure) -> ExpectedFailures? {
    guard let expect else { return nil }
    let bytes = try readInput(expect, limit: 16 << 20)
    do throws(ExpectedFailures.Malformed) {
      return try ExpectedFailures(
        String(decoding: bytes, as: UTF8.self), name: expect,
        ids: ScenarioCase.all(of: Scenario.catalogue).map(\.id))
    } catch {
      throw Failure("'\(expect)', \(error)", .badFile)
    }
  }
}
