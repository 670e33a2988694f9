import APIC
import ArgumentParser
import BuiltInGuests
import Figures
import Foundation
import KVM
import MachineState
import VMM

/// What it costs to take a machine's state, beside the ioctls in C; how long a guest stands still for a snapshot; and how
/// long it takes to read the state of a large machine.
@main
struct StateCosts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state-costs", abstract: "Measures captures, the pause of a snapshot, and the reading of a state.",
    discussion: "Exit status: 0 success; 64 wrong usage; 69 this host cannot; 70 an internal fault.")

  @Option(help: "How many captures of each are counted.")
  var rounds = 1000

  func validate() throws {
    guard 1...100_000 ~= rounds else { throw ValidationError("--rounds takes 1 to 100000.") }
  }

  func run() throws {
    do {
      let kvm = try KVM.open()
      try captures(kvm)
      try pauses(kvm)
      try reading(kvm)
    } catch let failure as Failure {
      FileHandle.standardError.write(Data("state-costs: \(failure.message)\n".utf8))
      throw ExitCode(failure.status)
    }
  }

  private func machine(_ kvm: System, vcpus: Int) throws -> Machine {
    guard let agent = BuiltInGuest.named("agent") else { throw Failure("the guest 'agent' is missing") }
    var configuration = MachineConfiguration()
    configuration.vcpus = vcpus
    configuration.arguments = "x2apic start"
    return try Machine(configuration, image: agent.image, on: kvm, console: Console())
  }

  /// Both take the state of a machine with two vCPUs that do not run, in turns.
  private func captures(_ kvm: System) throws {
    let floor = try Floor(vcpus: 2)
    let machine = try machine(kvm, vcpus: 2)
    func capture() throws -> Double {
      let start = SuspendingClock.now
      let state = try machine.capture()
      let time = (SuspendingClock.now - start) / .nanoseconds(1)
      guard state.vcpus.count == 2 else { throw Failure("a vCPU is missing") }
      return time
    }
    for _ in 0..<20 { _ = (try floor.capture(), try capture()) }
    var (inC, inSwift): ([Double], [Double]) = ([], [])
    for round in 0..<rounds {
      if round.isMultiple(of: 2) {
        inC.append(try floor.capture())
        inSwift.append(try capture())
      } else {
        inSwift.append(try capture())
        inC.append(try floor.capture())
      }
    }
    print("state of 2 vCPUs, memory apart, \(rounds) rounds in turns")
    print("  floor    \(line(inC.map { $0 / 1000 }, "%.1f")) us")
    print("  lapwing  \(line(inSwift.map { $0 / 1000 }, "%.1f")) us")
    print("  x floor  \(line(zip(inSwift, inC).map { $0 / $1 }, "%.3f"))")
  }

  /// A guest that waits for orders on two vCPUs, with 64 MiB of which more and more is touched.
  private func pauses(_ kvm: System) throws {
    let machine = try machine(kvm, vcpus: 2)
    let running = try machine.start()
    machine.stop.wait(atMost: .milliseconds(100))
    print("a snapshot of a running guest with 64 MiB, 20 rounds each")
    var touched = 0
    for megabytes in [0, 1, 4, 16, 32] {
      while touched < megabytes << 20 {
        try machine.memory.write([UInt8](repeating: 0x5a, count: 4096), at: UInt64(0x100_0000 + touched))
        touched += 4096
      }
      var pauses: [Double] = []
      var pages: UInt64 = 0
      for _ in 0..<20 {
        let snapshot = try machine.snapshot()
        guard let pause = snapshot.pause else { throw Failure("the guest did not stand still") }
        pauses.append(pause / .microseconds(1))
        pages = snapshot.memory.pages
      }
      let size = String(format: "%5.1f", Double(pages) * 4096 / 1_048_576)
      print("  \(size) MiB touched: the guest stands still for \(line(pauses, "%.0f")) us")
    }
    _ = running.finish()
  }

  /// A document with 64 vCPUs: that of a machine with two, of which one is repeated with ids of its own.
  private func reading(_ kvm: System) throws {
    var state = try machine(kvm, vcpus: 2).capture()
    let model = state.vcpus[1]
    state.configuration.vcpus = 64
    state.vcpus = (0..<64).map { id in
      var vcpu = id == 0 ? state.vcpus[0] : model
      vcpu.id = UInt32(id)
      if vcpu.specialRegisters.apicBase.mode == .x2APIC { vcpu.localAPIC.setID(UInt32(id), mode: .x2APIC) }
      for index in vcpu.cpuid.indices where vcpu.cpuid[index].function == 0xb { vcpu.cpuid[index].edx = UInt32(id) }
      return vcpu
    }
    let text = StateDocument(state).text
    var times: [Double] = []
    for _ in 0..<50 {
      let start = SuspendingClock.now
      let document = try StateDocument(text: text)
      times.append((SuspendingClock.now - start) / .milliseconds(1))
      guard document.state == state else { throw Failure("the document is another state") }
    }
    print("a document with 64 vCPUs, \(text.count / 1024) KiB")
    print("  read and checked in \(line(times, "%.1f")) ms")
  }

  private func line(_ samples: [Double], _ format: String) -> String {
    let figures = Figures(of: samples)
    let numbers = [figures.median, figures.lowerQuartile, figures.upperQuartile].map { String(format: format, $0) }
    return "\(numbers[0]) (quartiles \(numbers[1]) to \(numbers[2]))"
  }
}
