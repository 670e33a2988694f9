import Debugger
import MachineState
import Reports
import Support
import SystemPackage
import VMM

/// What a run needs so that gdb can look at it.
struct DebuggedRun {
  let listener: LocalListener
  let support: DebugSupport

  /// Keeps the machine before its first instruction until gdb lets it go on, and says where gdb connects to.
  func serve(_ machine: Machine) throws(Failure) -> DebugServer {
    let server: DebugServer
    do throws(Errno) {
      server = try DebugServer(
        machine,
        DebugServer.Configuration(
          listener: listener, support: support, words: { machine.words(on: $0, vcpu: $1) },
          note: { StandardError.print("lapwing: gdb: \($0)") }))
    } catch {
      throw Failure("--gdb: \(error)", .hostCannot)
    }
    let address =
      switch listener.address {
      case .port(let port): ":\(port)"
      case .path(let path): path.string
      }
    StandardError.print("lapwing: the guest waits for gdb: target remote \(address)")
    return server
  }
}

extension Machine {
  /// What `lapwing inspect` would show of this machine, which stands.
  fileprivate func words(on topic: MonitorCommand.Topic, vcpu: Int) -> String {
    let part: Inspection.Part =
      switch topic {
      case .lapic: .localAPIC(vcpu: vcpu)
      case .ioapic: .ioapic
      case .pic: .pic
      case .next: .delivery(vcpu: vcpu)
      }
    do throws(MachineError) {
      let state = try capture()
      let inspection = Inspection(state) { [memory] in try? memory.load(UInt32.self, at: $0) }
      return inspection.text(of: part) ?? "This machine has none: its irqchip is \(configuration.irqChip.rawValue)."
    } catch {
      return "The state cannot be taken: \(error)."
    }
  }
}
