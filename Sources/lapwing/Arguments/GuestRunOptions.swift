import ArgumentParser
import Glibc
import Reports
import Support
import SystemPackage
import VMM

/// What `run` and `restore` have alike: how long a guest runs, what of it is reported, and what comes to it from outside.
struct GuestRunOptions: ParsableArguments {
  @OptionGroup var report: RunReportOptions

  @OptionGroup var timelineOptions: TimelineOptions

  @OptionGroup var snapshotOptions: SnapshotOptions

  @OptionGroup var inputOptions: InputOptions

  @OptionGroup var debugger: DebuggerOptions

  @OptionGroup(title: "Injections") var injectionOptions: InjectionOptions

  @OptionGroup var controlOptions: ControlOptions

  /// Makes a run ready, all but its machine. From then on signals are held: what may come from pipes whose writers sleep
  /// has to be read before.
  ///
  /// - Parameters:
  ///   - guest: the guest's name.
  ///   - vcpus: how many vCPUs it has.
  ///   - limit: how long it may run.
  func prepare(
    _ guest: String, vcpus: Int, limit: Duration
  ) throws(Failure) -> (run: GuestRun, signals: InterruptSignals) {
    var run = GuestRun(guest: guest, limit: limit, options: report)
    run.injections = try injectionOptions.plan(vcpus: vcpus, within: limit)
    run.input = try inputOptions.typist(within: limit)
    let signals = InterruptSignals(except: snapshotOptions.snapshotOn?.signal)
    run.debugging = try debugger.open(besides: snapshotOptions)
    run.control = try controlOptions.listener()
    run.externalSources += inputOptions.sources + controlOptions.sources
    run.timeline = try timelineOptions.begin()
    run.snapshots = snapshotOptions.snapshots(of: guest)
    return (run, signals)
  }
}

/// What the guest's serial port receives: what `run` and `restore` have in common.
struct InputOptions: ParsableArguments {
  @Option(
    help: """
      What the guest receives on its serial console: a file, or - for standard input. It is given as fast as the guest \
      reads it.
      """, completion: .file())
  var input: String?

  private static let standardInput = "-"
  /// A longer file is no console input.
  private static let sizeLimit = 64 << 20

  /// What may interrupt the guest from outside, in words.
  var sources: [String] { input == Self.standardInput ? ["input from standard input"] : [] }

  /// What types it into a machine, read where it is a file: before signals are held, as it may be a pipe whose writer
  /// sleeps.
  ///
  /// - Parameter patience: how long that may take.
  func typist(within patience: Duration) throws(Failure) -> (@Sendable (Machine) -> Void)? {
    guard let input else { return nil }
    guard input != Self.standardInput else { return { Self.typeStandardInput(into: $0) } }
    let bytes = try readInput(input, as: "the input ", limit: Self.sizeLimit, within: patience)
    return { $0.serial.type(bytes) }
  }

  /// Reads on a thread of its own, which may wait in a read when the machine has long ended: nobody waits for it.
  private static func typeStandardInput(into machine: Machine) {
    try? HostThread.startDetached { [serial = machine.serial, stop = machine.stop] in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while stop.reason == nil {
        // Sound: the call writes at most as many bytes as the buffer has.
        let count = try? unsafe buffer.withUnsafeMutableBytes { try unsafe FileDescriptor.standardInput.read(into: $0) }
        guard let count, count > 0 else { return }
        serial.type(Array(buffer[..<count]))
        while serial.waitingInput > buffer.count, stop.reason == nil { stop.wait(atMost: .milliseconds(1)) }
      }
    }
  }
}

/// The control socket: what `run` and `restore` have in common.
struct ControlOptions: ParsableArguments {
  @Option(
    help: """
      A UNIX socket that takes requests while the guest runs, a JSON object a line: docs/control.md has them. It is for \
      this user alone, and removed at the end.
      """, completion: .file())
  var control: String?

  /// Listens already; nil where none is asked for.
  func listener() throws(Failure) -> LocalListener? {
    guard let control else { return nil }
    let address = LocalListener.Address.path(FilePath(control))
    do throws(Errno) {
      return try LocalListener(address)
    } catch {
      throw address.failure(of: "--control", error)
    }
  }

  /// What may interrupt the guest from outside, in words.
  var sources: [String] { control == nil ? [] : ["a request at the control socket"] }
}

extension LocalListener.Address {
  /// Why nothing can connect there.
  func failure(of option: String, _ error: Errno) -> Failure {
    switch (self, error) {
    case (.port(let port), .addressInUse):
      Failure("\(option) \(port): another program listens at that port; 0 takes one that is free", .hostCannot)
    case (.port(let port), let error): Failure("\(option) \(port): \(error)", .hostCannot)
    case (.path(let path), .addressInUse):
      Failure("\(option) '\(path)': another program listens at that socket", .hostCannot)
    case (.path(let path), .fileExists):
      Failure("\(option) '\(path)': there is something else, which is left alone; name a path that is free", .badFile)
    case (.path(let path), .notPermitted):
      Failure("\(option) '\(path)': there is another user's socket; name a path that is free", .badFile)
    case (.path(let path), .fileNameTooLong):
      Failure("\(option) '\(path)': a socket's path has 107 bytes at most (unix(7))", .usage)
    case (.path(let path), let error): Failure("\(option) '\(path)': \(error)", .badFile)
    }
  }
}
