import KVM
import TestImages
import Testing

@testable import VMM

/// Hyper-V as a guest is told of it.
@Suite struct HyperVTests {
  /// What KVM says that it plays, more or less.
  private let supported = [
    CPUIDEntry(function: 0x4000_0000, eax: 0x4000_0082, ebx: 0x756e_694c, ecx: 0x2056_4b76, edx: 0x7648_204d),
    CPUIDEntry(function: 0x4000_0001, eax: 0x3123_7648),
    CPUIDEntry(function: 0x4000_0003, eax: 0xffff_ffff & ~(1 << 13), ebx: .max, ecx: 7, edx: .max),
    CPUIDEntry(function: 0x4000_0004, eax: .max, ebx: 0xfff),
    CPUIDEntry(function: 0x4000_0005, eax: 64),
    CPUIDEntry(function: 0x4000_0080), CPUIDEntry(function: 0x4000_000a, eax: 1),
  ]
  private let plain = [
    CPUIDEntry(function: 1, ecx: 1), CPUIDEntry(function: 0x4000_0000, eax: 0x4000_0001),
    CPUIDEntry(function: 0x4000_0001, eax: 0x100), CPUIDEntry(function: 0x8000_0000),
  ]

  private func leaves(_ model: String) throws -> [UInt32: CPUIDEntry] {
    let entries = HyperVLeaves(try CPUModel(model).hyperV, supported: supported).added(to: plain)
    return Dictionary(entries.map { ($0.function, $0) }) { first, _ in first }
  }

  @Test func `Hyper-V's leaves come where KVM's were, which move up`() throws {
    let leaves = try leaves("host,hv_passthrough")
    #expect(leaves[0x4000_0000]?.eax == 0x4000_0005)
    #expect(leaves[0x4000_0001]?.eax == 0x3123_7648)
    #expect(leaves[0x4000_0100]?.eax == 0x4000_0101)
    #expect(leaves[0x4000_0101]?.eax == 0x100)
    #expect(leaves[1] == plain[0] && leaves[0x8000_0000] == plain[3])
    #expect(leaves[0x4000_0080] == nil && leaves[0x4000_000a] == nil)
  }

  @Test func `a guest sees the features that were named, as far as KVM has them`() throws {
    let some = try leaves("qemu64,hv-synic=on,hv_stimer,+hv-ipi,hv-reenlightenment")
    #expect(some[0x4000_0003]?.eax == 1 << 2 | 1 << 3 | 1 << 5)
    #expect(some[0x4000_0003]?.ebx == 1 << 4 | 1 << 5)
    #expect(some[0x4000_0003]?.edx == 0)
    #expect(some[0x4000_0004]?.eax == 1 << 10 | 1 << 11)
    #expect(some[0x4000_0004]?.ebx == 0xfff)
    let all = try leaves("host,hv-passthrough")
    // Reenlightenment is not KVM's here; enlightened VMCSs and the debugger are nobody's.
    #expect(all[0x4000_0003]?.eax == 0xaff)
    #expect(all[0x4000_0003]?.edx == 1 << 4 | 1 << 8 | 1 << 10 | 1 << 19)
    #expect(all[0x4000_0004].map { $0.eax & 1 << 14 } == 0)
    #expect(try leaves("host,hv-passthrough,-hv-stimer")[0x4000_0003].map { $0.eax & 1 << 3 } == 0)
  }

  @Test(arguments: [
    ("host,hv_passthrough", "host,hv-passthrough"), ("host,hv-stimer,hv_time", "host,hv-time,hv-stimer"),
    ("qemu64,+umip,hv-synic,-hv-synic", "qemu64,+umip"), ("host,hv-passthrough=off", "host"),
  ])
  func `a model with Hyper-V's features is written as a text that is read as the same`(text: String, written: String)
    throws
  {
    let model = try CPUModel(text)
    #expect(model.description == written)
    #expect(try CPUModel(written) == model)
  }

  @Test func `a feature that there is not is refused by its name`() {
    let error = #expect(throws: CPUModel.ParsingError.self) { try CPUModel("host,hv-warp") }
    #expect(error?.description == "there is no CPU feature 'hv-warp'")
  }

  @Test func `a host without Hyper-V's leaves or controller is told so by name`() throws {
    var configuration = MachineConfiguration()
    configuration.cpu = try CPUModel("host,hv-synic")
    for (missing, purpose) in [
      (Capability.sysHypervCPUID, "telling the guest of Hyper-V (hv-synic)"),
      (Capability.hypervSynIC, "Hyper-V's interrupt controller (hv-synic)"),
    ] {
      let error = #expect(throws: MachineError.self) {
        try configuration.validate { (capability: Capability) throws(KVMError) -> Int in capability == missing ? 0 : 64
        }
      }
      #expect(error?.description == "this host's KVM has no \(missing.name), which \(purpose) needs")
    }
  }

  /// Parameters of HvPostMessage.
  private func posted(connection: UInt32 = 0x10, type: UInt32 = 1, payload: [UInt8], count: UInt32? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    for word: UInt32 in [connection, 0, type, count ?? UInt32(payload.count)] { bytes += littleEndian(word) }
    bytes += payload
    return bytes + [UInt8](repeating: 0, count: 256 - bytes.count)
  }

  @Test func `a message that is too long or has no type is none`() {
    #expect(HyperVMessage(posted: posted(payload: [1, 2, 3]))?.payload == [1, 2, 3])
    #expect(HyperVMessage(posted: posted(payload: [UInt8](repeating: 7, count: 240)))?.slot.count == 252)
    #expect(HyperVMessage(posted: posted(payload: []))?.payload == [])
    #expect(HyperVMessage(posted: posted(payload: [], count: 241)) == nil)
    #expect(HyperVMessage(posted: posted(payload: [], count: .max)) == nil)
    #expect(HyperVMessage(posted: posted(type: 0, payload: [1])) == nil)
    #expect(HyperVMessage.connection(posted: posted(connection: 0xabcdef, payload: [])) == 0xabcdef)
  }
}
