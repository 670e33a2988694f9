import APIC
import ForeignStates
import KVM
import MachineState
import Testing

/// Cloud Hypervisor's `state.json`, made up by the structures of its sources.
@Suite struct CloudHypervisorTests {
  private func list(_ bytes: [UInt8]) -> String { "[" + bytes.map { "\($0)" }.joined(separator: ",") + "]" }

  /// A component's snapshot: its state is JSON in a string.
  private func snapshot(_ state: String?, _ parts: [(String, String)] = []) -> String {
    let text = state.map { $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") }
    let data = text.map { "{\"state\":\"\($0)\"}" } ?? "null"
    let list = parts.map { "\"\($0)\":\($1)" }.joined(separator: ",")
    return "{\"snapshots\":{\(list)},\"snapshot_data\":\(data)}"
  }

  private func vcpu(id: UInt32, hypervisor: String = "Kvm") -> String {
    let kept = MadeUpStructures()
    // c_char is signed.
    let page = kept.page.bytes.map { "\(Int8(bitPattern: $0))" }.joined(separator: ",")
    let msrs = kept.msrs.map { "{\"index\":\($0.index),\"data\":\($0.value)}" }.joined(separator: ",")
    let leaf = "{\"function\":11,\"index\":0,\"flags\":1,\"eax\":0,\"ebx\":1,\"ecx\":256,\"edx\":\(id)}"
    return """
      {"\(hypervisor)":{"cpuid":[\(leaf)],"msrs":[\(msrs)],"vcpu_events":\(list(kept.events)),"regs":\(list(kept.registers)),\
      "sregs":\(list(kept.specialRegisters)),"fpu":{},"lapic_state":{"regs":[\(page)]},"xsave":{"region":[]},\
      "xcrs":\(list([0])),"mp_state":\(list(kept.halted)),"tsc_khz":2500000,"nested_state":null,"hyperv_synic":false}}
      """
  }

  private func file(hypervisor: String = "Kvm") -> String {
    // As text, "10" comes before "2".
    let vcpus = [(0, 0), (1, 1), (10, 20), (2, 4)].map { number, id in
      ("\(number)", snapshot(vcpu(id: UInt32(id), hypervisor: hypervisor)))
    }
    let entries = (0..<24).map { $0 == 4 ? "18374686479671623732" : "65536" }.joined(separator: ",")
    let used = Array(repeating: "false", count: 24).joined(separator: ",")
    let ioapic =
      "{\"id_reg\":0,\"reg_sel\":16,\"reg_entries\":[\(entries)],\"used_entries\":[\(used)],\"apic_address\":4273995776}"
    let clock = "{\"clock\":{\"Kvm\":\(list([9] + [UInt8](repeating: 0, count: 47)))},\"common_cpuid\":[]}"
    return snapshot(
      clock,
      [
        ("cpu-manager", snapshot(nil, vcpus)),
        ("device-manager", snapshot("{\"device_tree\":{}}", [("__ioapic", snapshot(ioapic))])),
        ("memory-manager", snapshot("{}")),
      ])
  }

  private func read(_ text: String, as source: StateSource? = nil) throws -> InspectableState {
    var reader = StateReader(ByteSource(Array(text.utf8)), as: source)
    return try reader.read().state
  }

  @Test func `vCPUs and the IOAPIC are read`() throws {
    let state = try read(file())
    #expect(state.format == .cloudHypervisor)
    #expect(state.vcpus.map(\.id) == [0, 1, 4, 20])
    let vcpu = try #require(state.vcpus.first)
    #expect(vcpu.mpState == .halted && vcpu.tscKHz == 2_500_000 && vcpu.deadline == 0x1234)
    #expect(vcpu.interruptRequest == [0x31, 0x83] && vcpu.registers?.rflags == 0x202)
    #expect(vcpu.values.msr(0xc000_0082) == 0xffff_ffff_8200_0000)
    #expect(vcpu.shadow == 2 && vcpu.apicBase?.mode == .xAPIC)
    #expect(!vcpu.knows(.debug) && !vcpu.knows(.extended))
    #expect(state.redirectionTable?[4] == RedirectionEntry(rawValue: 0xff00_0000_0000_0034))
    #expect(state.knows(.pics) && state.pics == nil && state.pit == nil && state.ioapic == nil)
    #expect(state.guestClock == 9)
    #expect(!state.knows(.routes) && !state.knows(.hostClock))
  }

  @Test func `what is not read is said`() throws {
    func problem(_ text: String) throws -> String {
      let error = try #require(throws: ForeignStateError.self) { try read(text) }
      #expect(error.format == .cloudHypervisor)
      return error.problem
    }
    #expect(try problem(file(hypervisor: "Mshv")).contains("a vCPU of KVM's expected"))
    let bytes = "{\"snapshots\":{},\"snapshot_data\":[123,125]}"
    let old =
      "{\"snapshots\":{\"cpu-manager\":{\"snapshots\":{\"0\":\(bytes)},\"snapshot_data\":null}},\"snapshot_data\":null}"
    #expect(try problem(old).contains("before version 39"))
    #expect(try problem("{\"snapshots\":{},\"snapshot_data\":null}").contains("cpu-manager"))
    #expect(try problem(String(file().dropLast(3))).contains("state.json"))
    #expect(try problem(file().replacing("\"10\":", with: "\"ten\":")).contains("numbers of vCPUs"))
    #expect(try problem(file().replacing("lapic_state", with: "lapic_stat")).contains("1024 bytes"))
  }
}
