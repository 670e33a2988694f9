import APIC
import KVM
import MachineState

extension InspectableState {
  /// What Firecracker saved: its file `vmstate`. Guest memory is in another file.
  ///
  /// - Parameter bytes: the file.
  /// - Throws: `ForeignStateError`, for a version that is not read with its number.
  public init(firecracker bytes: [UInt8]) throws(ForeignStateError) {
    let state = try Self.state(of: try FirecrackerFile(bytes))
    self.init(format: .firecracker)
    remarks.append("\(state.memoryMiB) MiB of memory, in another file")
    for (index, structures) in state.vcpus.enumerated() {
      var vcpu = InspectableVCPU(unknown: index)
      vcpu.fill(structures)
      // Firecracker numbers its vCPUs from 0 on.
      vcpu.fill(.id)
      append(vcpu)
    }
    machine.settings.hasIRQChip = true
    if let pit = state.pit { machine.pit = PITState(pit) }
    if let clock = state.clock { machine.time.clock = ClockState(clock) }
    if state.pics.count == 2 {
      machine.pics = MachineState.PICPair(master: PICState(state.pics[0]), slave: PICState(state.pics[1]))
    }
    if let chip = state.ioapic { machine.ioapic = IOAPICState(chip) }
    fill(.allVCPUs, .guestClock, .pit, .pics, .picDetails, .ioapic, .ioapicAddress)
  }

  /// The state by the first of its version's layouts that it has; the failure is that of the first.
  private static func state(of file: FirecrackerFile) throws(ForeignStateError) -> FirecrackerState {
    var failure: ForeignStateError?
    for layout in FirecrackerLayout.layouts(major: file.major) {
      do throws(ForeignStateError) {
        return try FirecrackerState(file, layout)
      } catch {
        failure = failure ?? error
      }
    }
    throw failure ?? ForeignStateError(.firecracker, "a version that is read expected")
  }
}
