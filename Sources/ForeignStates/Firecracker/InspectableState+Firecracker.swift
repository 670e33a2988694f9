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
    for vcpu in state.vcpus { append(vcpu) }
    machine.settings.hasIRQChip = true
    machine.pit = state.pit
    machine.time.clock = state.clock
    machine.pics = state.pics
    machine.ioapic = state.ioapic
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
