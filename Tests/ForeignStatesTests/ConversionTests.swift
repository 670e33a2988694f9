import APIC
import ForeignStates
import KVM
import MachineState
import Support
import SystemPackage
import TestStates
import Testing
import VMM

/// QEMU's stream made a snapshot.
@Suite struct ConversionTests {
  private func convert(_ stream: MadeUpStream) throws -> (conversion: QEMUConversion, spool: MemorySpool) {
    let spool = try MemorySpool(besides: "/tmp/lapwing-conversion")
    var source = ByteSource(stream.bytes)
    #expect(QEMUConversion.matches(&source))
    return (try QEMUConversion(source, memory: spool), spool)
  }

  @Test func `what a machine needs and a stream lacks is named`() throws {
    let missing = try convert(MadeUpStream()).conversion.missing
    for part in ["memory of 1 MiB to 64 GiB", "the PIT", "segments of vCPU 0", "TSC frequency of vCPU 1"] {
      #expect(missing.contains(part), "\(missing)")
    }
    var stream = MadeUpStream.whole
    #expect(try convert(stream).conversion.missing.isEmpty)
    stream.machine = "microvm-9.9"
    #expect(try convert(stream).conversion.missing.first?.contains("which \"microvm-9.9\" is not") == true)
    stream = .whole
    stream.memorySize = 0xd000_0000
    #expect(
      try convert(stream).conversion.missing == [
        "memory that lies where Lapwing's does, which that of 3328 MiB does not"
      ])
  }

  @Test func `a whole stream becomes a machine's state`() throws {
    let conversion = try convert(.whole).conversion
    #expect(conversion.leftOut == ["slirp"])
    let configuration = conversion.configuration(cpu: try CPUModel("qemu64,-x2apic"))
    #expect(configuration.vcpus == 2 && configuration.memory == 2 << 20 && configuration.apic == .xAPIC)
    let cpuid = (0..<2).map { [CPUIDEntry(function: 0x8000_0008, eax: 40), CPUIDEntry(function: 1, ebx: $0 << 24)] }
    let state = try conversion.machineState(configuration, cpuid: cpuid, guest: "made up")
    #expect(state.guest == "made up" && state.vcpus.map(\.cpuid) == cpuid)
    let vcpu = state.vcpus[0]
    #expect(vcpu.specialRegisters.cr8 == 1 && vcpu.localAPIC.processorPriority.rawValue == 0x10)
    #expect(vcpu.localAPIC.currentCount == 1000 && vcpu.tscKHz == 2_000_000)
    // x87: control word, the tag of register 0 alone, 1.0 in it; SSE: the lower half of XMM1.
    #expect(vcpu.xsave[0] == 0x7f && vcpu.xsave[4] == 0x01)
    #expect(Array(vcpu.xsave[32..<42]) == [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f])
    #expect(vcpu.xsave[176] == 0x34 && vcpu.xsave[512] == 3)
    // Masks that were filled up to 52 bits have as many as the processor's addresses.
    #expect(vcpu.msr(0x201) == 0xff_8000_0800)
    #expect(state.pit?.channel0.count == 0x1000 && state.time.hostMonotonic == 7_000)
    #expect(state.routes.contains(.irqChip(gsi: 0, chip: .ioapic, pin: 2)))
    #expect(!state.routes.contains(.irqChip(gsi: 2, chip: .ioapic, pin: 2)))
    #expect(state.devices.first?.fields["received"] == [0x41])
    // An emulator's processor that waits for SIPI has no MP state that says so.
    #expect(state.vcpus[1].mpState == .halted)
  }

  @Test func `memory is that of the last record of each page`() throws {
    let (conversion, spool) = try convert(.whole)
    let configuration = conversion.configuration(cpu: try CPUModel("qemu64"))
    let cpuid = (0..<2).map { [CPUIDEntry(function: 1, ebx: $0 << 24)] }
    let state = try conversion.machineState(configuration, cpuid: cpuid, guest: "made up")
    let path = FilePath("/tmp/lapwing-conversion-\(UInt64.random(in: .min ... .max)).json")
    defer { for name in [path.string, path.string + ".memory"] { HostFile.remove(FilePath(name)) } }
    #expect(try SnapshotFile(path).write(state, memory: spool))
    let image = try SnapshotFile(path).read().memory
    #expect(image.size == 2 << 20 && image.pages == 2)
    #expect(image.runs.map(\.address) == [0, 0x2000])
    #expect(image.runs.map(\.bytes.first) == [0xa5, 0x5a])
  }
}
