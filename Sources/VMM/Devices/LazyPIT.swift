import APIC
import KVM
import Synchronization

/// The in-kernel PIT, made when the guest first touches it.
///
/// Few guests use a PIT, and a machine with one takes the kernel several milliseconds longer to take down. A fresh chip
/// counts nothing, so no guest can tell. The access that makes it is applied to its state here; all later ones are the
/// kernel's (`pit_ioport_write` and `speaker_ioport_write` of arch/x86/kvm/i8254.c).
final class LazyPIT: Sendable {
  static let counters = UInt64(PIT.Channel.timer.port)..<UInt64(PIT.commandPort) + 1
  static let systemControl = UInt64(PIT.systemControlPort)..<UInt64(PIT.systemControlPort) + 1

  private let vm: VirtualMachine
  private let stop: StopSwitch
  private let reinjects: Bool
  private let exists: Mutex<Bool>

  /// A chip that is still to be made.
  ///
  /// - Parameter reinjects: whether ticks that came while the guest had not yet taken the last are delivered late.
  init(vm: VirtualMachine, stop: StopSwitch, reinjects: Bool) {
    self.vm = vm
    self.stop = stop
    self.reinjects = reinjects
    // A machine that was restored may have one.
    exists = Mutex(vm.settings.pit != nil)
  }

  /// The registers of this chip as its two port ranges reach them.
  func device(at range: Range<UInt64>) -> any BusDevice { LazyPITPorts(pit: self, start: range.lowerBound) }

  /// Makes the chip if there is none yet, and applies `change` to its state.
  func touch(vcpu: Int, _ change: (inout PITState) -> Void) {
    do throws(KVMError) {
      try exists.withLock { exists throws(KVMError) in
        if !exists {
          try vm.createPIT()
          if !reinjects { try vm.setPITReinjection(false) }
        }
        exists = true
        let before = try vm.pit()
        var state = before
        change(&state)
        // KVM_SET_PIT2 starts every count anew: another vCPU may have made the chip meanwhile, and loaded one.
        if state != before { try vm.setPIT(state) }
      }
    } catch {
      stop.stop(.runFailed(error, vcpu: vcpu))
    }
  }
}

/// One of the chip's two port ranges.
private struct LazyPITPorts: BusDevice {
  let pit: LazyPIT
  let start: UInt64

  /// What a fresh chip shows.
  func read(_ access: BusAccess) -> UInt64 {
    pit.touch(vcpu: access.vcpu) { _ in }
    return 0
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    pit.touch(vcpu: access.vcpu) { state in
      switch start + access.offset {
      case UInt64(PIT.commandPort): state.apply(PIT.Command(rawValue: byte))
      case UInt64(PIT.systemControlPort): state.apply(PIT.SystemControl(rawValue: byte))
      // A count means nothing to a channel that was never given a mode (8254 data sheet, "Programming the 8254").
      default: break
      }
    }
  }
}

extension PITState {
  /// A control word, as a fresh chip takes it: the channel waits for its count.
  fileprivate mutating func apply(_ command: PIT.Command) {
    let access = command.rawValue >> 4 & 3
    guard access != 0 else { return }
    let mode = command.rawValue >> 1 & 7
    func program(_ channel: inout Channel) {
      channel.readWriteMode = access
      channel.readState = access
      channel.writeState = access
      channel.mode = mode > 5 ? mode - 4 : mode
      channel.bcd = command.rawValue & 1
    }
    switch command.rawValue >> 6 {
    case 0: program(&channel0)
    case 1: program(&channel1)
    case 2: program(&channel2)
    default: break
    }
  }

  /// The gate and the speaker bit of port 0x61.
  fileprivate mutating func apply(_ control: PIT.SystemControl) {
    channel2.gate = control.gate ? 1 : 0
    speakerDataOn = control.speaker
  }
}
