import APIC
import ArgumentParser
import BuiltInGuests
import Evidence
import Figures
import Foundation
import Glibc
import KVM
import SystemPackage
import VMM
import Watch

/// What it costs to decode a trace's events and to make journeys of them, on one processor, beside `perf script` with the
/// same events, where perf is installed.
@main
struct TraceCosts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace-costs", abstract: "Measures how fast events are decoded and put into journeys.",
    discussion: """
      A guest is sent MSIs. KVM's events of it are recorded in a trace instance, and by perf at the same time. Times are \
      those of the processor, not of the clock. Exit status: 0 success; 64 wrong usage; 69 this host cannot; 70 an \
      internal fault.
      """)

  @Option(help: "How many MSIs the guest is sent.")
  var messages = 100_000

  @Option(help: "How often the journeys are made.")
  var rounds = 20

  func validate() throws {
    guard 1000...1_000_000 ~= messages else { throw ValidationError("--messages takes 1000 to 1000000.") }
    guard 1...1000 ~= rounds else { throw ValidationError("--rounds takes 1 to 1000.") }
  }

  func run() throws {
    do {
      try measure()
    } catch let failure as Failure {
      fail("\(failure.message)", failure.status)
    } catch let error as TraceUnavailable {
      fail("nothing can be recorded: \(error)", 69)
    } catch let error as KVMError {
      fail("\(error)", 69)
    }
  }

  private func fail(_ message: String, _ status: Int32) -> Never {
    FileHandle.standardError.write(Data("trace-costs: \(message)\n".utf8))
    Self.exit(withError: ExitCode(status))
  }

  private func measure() throws {
    let perf = try PerfRecording(of: PageRecorder.tracepoints)
    let (recorder, threads) = try record()
    try perf?.end()
    let counts = recorder.makeJourneys(threads: threads, ids: [0])
    guard counts.events > 0 else { throw Failure("nothing was recorded", 70) }
    var times: [Double] = []
    for _ in 0..<rounds {
      let start = ProcessorTime.ofThread
      guard recorder.makeJourneys(threads: threads, ids: [0]) == counts else {
        throw Failure("the same pages gave other journeys", 70)
      }
      times.append(Double(counts.events) / (ProcessorTime.ofThread - start) / 1e6)
    }
    let figures = Figures(of: times)
    let watched = try watch(recorder, threads, counts.events)
    print("\(counts.events) events, \(counts.lost) lost, \(counts.journeys) journeys, \(rounds) rounds")
    print(
      String(
        format: "  lapwing      %.2f million events a second of processor time (quartiles %.2f to %.2f)",
        figures.median, figures.lowerQuartile, figures.upperQuartile))
    print(
      String(
        format: "  watch        %.2f million events a second of processor time (quartiles %.2f to %.2f)",
        watched.median, watched.lowerQuartile, watched.upperQuartile))
    guard let perf else { return print("  perf script  there is no perf in PATH, or it cannot record here") }
    let (events, time) = try perf.script()
    let rate = Double(events) / time / 1e6
    print(String(format: "  perf script  %.2f million (%d events)", rate, events))
    print(
      String(format: "  x perf       %.1f, watch %.1f", figures.median / rate, watched.median / rate))
  }

  /// Decodes the pages and counts what is in them as `lapwing watch` does.
  private func watch(_ recorder: PageRecorder, _ threads: [Int32], _ events: Int) throws -> Figures {
    let machine = ForeignMachine(process: getpid(), threads: threads)
    let first = TraceClock.now()
    let clock = TraceClock(first, TraceClock.later(than: first, by: .milliseconds(20)))
    var times: [Double] = []
    for _ in 0..<rounds {
      let start = ProcessorTime.ofThread
      var watch = MachineWatch(
        machine, among: [machine], recordsAllThreads: false, recordsResidency: true, clock: clock, start: 0)
      _ = recorder.decode { watch.take($0) }
      let interval = watch.takeInterval(UInt64(Int64.max), isLast: true)
      let time = ProcessorTime.ofThread - start
      guard interval.accepted >= UInt64(messages) else { throw Failure("watching lost interrupts", 70) }
      times.append(Double(events) / time / 1e6)
    }
    return Figures(of: times)
  }

  /// Sends the guest its messages, and keeps the pages.
  private func record() throws -> (PageRecorder, [Int32]) {
    guard let agent = BuiltInGuest.named("agent") else { throw Failure("the guest 'agent' is missing", 70) }
    var configuration = MachineConfiguration()
    configuration.arguments = "x2apic start"
    let machine = try Machine(configuration, image: agent.image, on: try KVM.open(), console: Console())
    let recorder = try PageRecorder(TracePool(forRuns: true))
    let running = try machine.start()
    machine.stop.wait(atMost: .milliseconds(200))
    let message = MSIMessage(vector: 0x60, destination: Destination(0, mode: .physical))
    for number in 0..<messages {
      try machine.vm.signal(message)
      if number.isMultiple(of: 1000) { try recorder.drain() }
    }
    let threads = running.threadIDs
    _ = running.finish()
    try recorder.drain()
    return (recorder, threads)
  }
}

/// Something went wrong: what a person reads on standard error, and how the program ends (sysexits.h).
struct Failure: Error {
  let message: String
  let status: Int32

  init(_ message: String, _ status: Int32) {
    self.message = message
    self.status = status
  }
}

/// Seconds of processor time.
enum ProcessorTime {
  /// That of this thread.
  static var ofThread: Double {
    var time = timespec()
    // Sound: the call fills in the one structure that it is given.
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// That of the programs that this one has started, and that have ended.
  static var ofChildren: Double {
    var usage = rusage()
    // Sound: as above.
    unsafe getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
}
