import KVM
import TestImages
import Testing

@testable import VMM

@Suite struct DisplayControllerTests {
  private func access(_ offset: UInt64, _ width: Int = 1) -> BusAccess {
    BusAccess(vcpu: 0, offset: offset, width: width)
  }

  @Test func `the cursor's place is read as it was written, a byte or a word at a time`() {
    let display = DisplayController()
    display.write(14, access(0))
    display.write(0x07, access(1))
    display.write(0xcf0f, access(0, 2))
    #expect(display.read(access(1)) == 0xcf)
    #expect(display.read(access(0, 2)) == 0xcf0f)
    display.write(14, access(0))
    #expect(display.read(access(1)) == 0x07)
  }

  @Test func `a register that there is not is zero, whatever is written there`() {
    let display = DisplayController()
    display.write(0xff, access(0))
    display.write(0x55, access(1))
    #expect(display.read(access(1)) == 0)
    #expect(display.read(access(1, 4)) == 0xffff_ff00)
  }

  @Test func `its state is kept where the guest has touched it, and a wrong one is refused`() throws {
    #expect(DisplayController().save() == nil)
    let display = DisplayController()
    display.write(0x120e, access(0, 2))
    let state = try #require(display.save())
    let other = DisplayController()
    try other.restore(state)
    #expect(other.save() == state)
    var wrong = state
    wrong.fields["index"] = [256]
    #expect(throws: DeviceStateError.self) { try other.restore(wrong) }
    wrong = state
    wrong.fields["registers"]?.removeLast()
    #expect(throws: DeviceStateError.self) { try DeviceState.validate([wrong], MachineConfiguration()) }
  }
}
