import KVM
import Testing

@testable import VMM

@Suite struct CPUModelTests {
  /// A host with every feature, and no leaf beyond those that models have.
  private let host = [
    CPUIDEntry(function: 0, eax: 0x20, ebx: 0x756e_6547, ecx: 0x6c65_746e, edx: 0x4965_6e69),
    CPUIDEntry(function: 1, eax: 0x806f8, ecx: .max, edx: .max),
    CPUIDEntry(function: 7, index: 0, hasSignificantIndex: true, ebx: .max, ecx: .max, edx: .max),
    CPUIDEntry(function: 0xa, eax: 2),
    CPUIDEntry(function: 0xd, index: 0, hasSignificantIndex: true, eax: 7),
    CPUIDEntry(function: 0x8000_0000, eax: 0x8000_0021),
    CPUIDEntry(function: 0x8000_0001, ecx: .max, edx: .max),
    CPUIDEntry(function: 0x8000_0002, eax: .max, ebx: .max, ecx: .max, edx: .max),
    CPUIDEntry(function: 0x8000_0008, eax: 0x3030),
  ]

  private func leaf(_ function: UInt32, of model: String) throws -> CPUIDEntry? {
    try CPUModel(model).entries(of: host).first { $0.function == function }
  }

  @Test func `a model has its own features and those that are added, never those that are taken away`() throws {
    let plain = try #require(try leaf(1, of: "qemu64"))
    let changed = try #require(try leaf(1, of: "qemu64,+tsc-deadline,-x2apic,avx=on"))
    #expect(plain.ecx == 1 | 1 << 13 | 1 << 21 | 1 << 31)
    #expect(changed.ecx == 1 | 1 << 13 | 1 << 24 | 1 << 28 | 1 << 31)
    #expect(try leaf(7, of: "qemu64")?.ecx == 0)
    #expect(try leaf(7, of: "qemu64,+umip")?.ecx == 1 << 2)
  }

  @Test func `a model says who it is and has no leaf beyond its own`() throws {
    let identity = try #require(try leaf(0, of: "qemu64,vendor=AuthenticAMD"))
    #expect(identity.eax == 0xd)
    #expect([identity.ebx, identity.edx, identity.ecx] == [0x6874_7541, 0x6974_6e65, 0x444d_4163])
    #expect(try leaf(1, of: "qemu64")?.eax == 0x0006_0fb1)
    #expect(try leaf(0x8000_0002, of: "qemu64")?.eax == 0x554d_4551)
    #expect(try leaf(0xa, of: "qemu64") == nil)
    #expect(try leaf(0xd, of: "qemu64") == nil)
    #expect(try leaf(0xd, of: "qemu64,+xsave") != nil)
    #expect(try leaf(0, of: "Opteron_G1")?.eax == 5)
  }

  @Test func `AMD's processors repeat features of leaf 1 where Intel's do not`() throws {
    let repeated = try leaf(0x8000_0001, of: "qemu64,vendor=AuthenticAMD")?.edx ?? 0
    #expect(repeated & 0x0183_f3ff == (try leaf(1, of: "qemu64")?.edx ?? 0) & 0x0183_f3ff)
    #expect(repeated & 1 == 1)
    #expect(try leaf(0x8000_0001, of: "qemu64,vendor=GenuineIntel")?.edx == 1 << 11 | 1 << 20 | 1 << 29)
  }

  @Test(arguments: [
    ("qemu64", "qemu64"), ("max,check=on,-x2apic,+umip,smep", "max,+smep,+umip,-x2apic"),
    ("qemu64,+sse3,-sse3,+tsc_deadline,+avx", "qemu64,+tsc-deadline,+avx,-pni"),
    ("qemu64,vendor=GenuineIntel,phys-bits=40", "qemu64,vendor=GenuineIntel,phys-bits=40"),
    ("max,phys-bits=40,host-phys-bits", "max"),
  ])
  func `a model is written as a text that is read as the same model`(text: String, written: String) throws {
    let model = try CPUModel(text)
    #expect(model.description == written)
    #expect(try CPUModel(model.description) == model)
  }

  @Test func `the host's model is the host but for what is taken away`() throws {
    #expect(try CPUModel("max").entries(of: host) == host.map(\.withoutRepeated))
    #expect(try leaf(7, of: "host,-smep")?.ebx == ~(1 << 7))
    #expect(try leaf(0x8000_0008, of: "max,phys-bits=36,host-phys-bits=off")?.eax == 0x3024)
    #expect(try leaf(0x8000_0008, of: "max,host-phys-bits")?.eax == 0x3030)
  }

  @Test(arguments: [
    ("pentium9", "there is no CPU model 'pentium9'; there are host, max, qemu64"), ("", "there is no CPU model ''"),
    ("qemu64,+warp", "there is no CPU feature 'warp'"), ("qemu64,", "there is no CPU feature ''"),
    ("qemu64,vendor=me", "the CPU option 'vendor' cannot be 'me'"),
    ("qemu64,phys-bits=99", "the CPU option 'phys-bits' cannot be '99'"),
    ("qemu64,avx=maybe", "the CPU option 'avx' cannot be 'maybe'"),
  ])
  func `what is not known is refused by its name`(text: String, problem: String) {
    let error = #expect(throws: CPUModel.ParsingError.self) { try CPUModel(text) }
    #expect(error?.description.hasPrefix(problem) == true)
  }

  @Test func `names are unambiguous, and - and _ are the same`() {
    #expect(CPUFeature(named: "tsc_deadline") == CPUFeature(named: "tsc-deadline"))
    #expect(CPUFeature(named: "kvmclock")?.word == .kvm)
    let names = CPUFeatureNames.words.flatMap { $0.1.split { $0 == " " || $0 == "|" } }.filter { $0 != "." }
    #expect(Set(names).count == names.count)
    #expect(CPUFeatureNames.words.allSatisfy { $0.1.split(separator: " ").count <= 32 })
  }

  @Test(arguments: CPUModel.names) func `every feature of a model has a name`(name: String) throws {
    let known = Dictionary(grouping: CPUFeatureNames.words, by: \.0)
    for (word, _) in try CPUModel(name).definition.features ?? [:] { #expect(known[word] != nil) }
  }
}

extension CPUIDEntry {
  /// A host of Intel's as KVM would show it: nothing repeated.
  fileprivate var withoutRepeated: CPUIDEntry {
    var entry = self
    if function == 0x8000_0001 { entry.edx &= ~0x0183_f3ff }
    return entry
  }
}
