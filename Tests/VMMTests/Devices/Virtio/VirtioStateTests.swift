import BuiltInGuests
import Testing

@testable import VMM

/// What a snapshot keeps of a virtio device.
@Suite(.needsKVM) struct VirtioStateTests {
  private func machine() throws -> Machine {
    try Machine.testing(try #require(BuiltInGuest.named("hello")).image) { $0.virtio = [.entropy] }
  }

  private func saved(_ machine: Machine) throws -> DeviceState {
    try #require(machine.deviceStates().first { $0.name == "virtio0" })
  }

  @Test func `a device holds what it was given`() throws {
    let machine = try machine()
    let fresh = try saved(machine)
    var state = fresh
    // Memory and bus mastering, at the second place, with another line; MSI-X with a vector that is masked and pending.
    state.fields["pci"] = [6, VirtioPlace.firstAddress + VirtioPlace.size, 5]
    state.fields["msix"] = [2, 2, 0, 0, 1, 0xfee0_1000, 0x71, 1]
    state.fields["registers"] = [1, 1, VirtioRegisters.version1, 0, 0xf, 0, 0]
    state.fields["queues"] = [8, 1, 1, 0x40_0000, 0x40_0100, 0x40_0200, 3, 2]
    #expect(state.fields.keys == fresh.fields.keys && state != fresh)
    try DeviceState.validate([state], machine.configuration)
    try machine.virtio.functions[0].restore(state)
    #expect(try saved(machine) == state)
  }

  @Test func `a state that no such device can have is refused`() throws {
    let machine = try machine()
    let state = try saved(machine)
    for (field, values) in [
      ("pci", [0, 0]), ("pci", [0, 1 << 32, 0]), ("msix", [0, 0]), ("msix", [4] + Array(repeating: 0, count: 7)),
      ("registers", [0, 0, 1, 0, 0, 0, 0]), ("registers", [0, 0, 0, 1 << 16, 0, 0, 0]),
      ("registers", [0, 0, 0, 0, 0x100, 0, 0]), ("queues", [3, 0, 0, 0, 0, 0, 0, 0]),
      ("queues", [8, 1, 0, 0xfee0_0000, 0, 0, 0, 0]),
    ] as [(String, [UInt64])] {
      var wrong = state
      wrong.fields[field] = values
      #expect(throws: DeviceStateError.self, "\(field) \(values)") {
        try DeviceState.validate([wrong], machine.configuration)
      }
    }
    #expect(throws: DeviceStateError.self, "there is none") { try DeviceState.validate([], machine.configuration) }
  }
}
