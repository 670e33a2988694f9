import ArgumentParser
import Reports
import Support
import Watch

/// `lapwing watch`: how interrupts reach the virtual machines of this host, whoever runs them.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Show how interrupts reach any virtual machine on this host.",
    discussion: """
      Without MACHINE it lists the virtual machines, whoever runs them: QEMU, Firecracker, Cloud Hypervisor, crosvm or \
      lapwing. With one it shows its interrupts by vector and vCPU, its exits, and whether it uses APICv: on a terminal \
      in a view that 'q' ends, otherwise interval by interval. It looks at KVM's tracepoints in a trace instance of its \
      own, and changes nothing on the machine. Needs tracefs and debugfs, so it is for root.
      """)

  @Argument(help: "A machine: PID, or PID/FD where a process has several.")
  var machine: String?

  @Option(
    name: .customLong("for"),
    help: "How long to watch, such as 10s: then comes a summary of all of it. Without MACHINE: 500ms.")
  var length: TimeLimit?

  @Option(help: "How often there is something new to see, from 100ms on.")
  var interval: TimeLimit?

  @Option(help: "human, or json: an object a line for each interval.")
  var format = ReportFormat.human

  @Option(help: "Show the interrupts of this vCPU alone, by KVM's id of it; may be given again.")
  var vcpu: [UInt32] = []

  @Option(help: "Show the interrupts of this vector alone, such as 0xec; may be given again.")
  var vector: [Address] = []

  @Flag(
    help: """
      Record all threads of this host and what happens in interrupt context, not only the machine's own threads: what \
      the kernel's threads and devices raise is seen then.
      """)
  var allThreads = false

  @Option(help: TimelineArgument.help, completion: TimelineArgument.completion)
  var timeline: String?

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    try TimelineArgument.validate(timeline)
    if let machine, MachineSelection(machine) == nil {
      throw ValidationError("'\(machine.excerpt)' is no machine: it takes PID or PID/FD, such as 1234 or 1234/11.")
    }
    if let interval, interval.duration < .milliseconds(100) {
      throw ValidationError("--interval takes 100ms and more.")
    }
    if let wrong = vector.first(where: { !(16...255 ~= $0.value) }) {
      throw ValidationError("--vector takes 16 to 255, not \(wrong).")
    }
    guard machine == nil else { return }
    guard interval == nil, vcpu.isEmpty, vector.isEmpty, timeline == nil else {
      throw ValidationError(
        "--interval, --vcpu, --vector and --timeline are for one machine; the list takes --for alone.")
    }
  }

  func run() throws {
    try perform { () throws(Failure) in
      let host = try WatchedHost()
      try confinement.enter { needs in
        needs.watchProcesses()
        needs.record()
        needs.write(timeline)
      }
      guard let machine, let selection = MachineSelection(machine) else {
        return try host.list(for: length?.duration ?? .milliseconds(500), format, allThreads: allThreads)
      }
      // A file that cannot be written is known before anything is recorded.
      let startedTimeline = try TimelineArgument.begin(timeline)
      var session = try host.session(selection, allThreads: allThreads)
      session.length = length
      session.interval = interval?.duration
      session.format = format
      session.filter = WatchFilter(vcpus: Set(vcpu), vectors: Set(vector.map { UInt8(truncatingIfNeeded: $0.value) }))
      session.timeline = startedTimeline
      return try session.run()
    }
  }
}
