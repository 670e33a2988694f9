import APIC
import KVM

/// The registers with which a vCPU enters its guest.
struct InitialState {
  private enum Control {
    // CR0, CR4 and EFER bits (SDM volume 3A, sections 2.2.1 and 2.5).
    static let protectedMode: UInt64 = 1 << 0
    static let extensionType: UInt64 = 1 << 4
    static let paging: UInt64 = 1 << 31
    static let physicalAddressExtension: UInt64 = 1 << 5
    static let longModeEnable: UInt64 = 1 << 8
    static let longModeActive: UInt64 = 1 << 10
  }

  var registers: Registers
  var special: SpecialRegisters

  /// What KVM gave the vCPU at creation, to be changed where an image asks for something else.
  init(of vcpu: VCPU) throws(KVMError) {
    registers = try vcpu.registers()
    special = try vcpu.specialRegisters()
    registers.rflags = 2
  }

  func apply(to vcpu: VCPU) throws(KVMError) {
    try vcpu.setSpecialRegisters(special)
    try vcpu.setRegisters(registers)
  }

  /// Long mode on identity-mapped memory: the boot page's address in RDI, the processor's index in RSI, a stack of the
  /// processor's own.
  mutating func enterLongMode(at entry: UInt64, index: Int, layout: BootLayout) {
    special.cr0 = Control.protectedMode | Control.extensionType | Control.paging
    special.cr3 = layout.pageTables
    special.cr4 = Control.physicalAddressExtension
    special.efer = Control.longModeEnable | Control.longModeActive
    special.gdt = DescriptorTable(
      base: layout.descriptors, limit: UInt16(8 * BootStructures.globalDescriptors.count - 1))
    setSegments(code: .flatCode64, data: .flatData)
    registers.rip = entry
    registers.rdi = layout.bootPage
    registers.rsi = UInt64(index)
    registers.rsp = layout.processorArea + UInt64(index + 1) * BootLayout.processorStride
  }

  /// The general registers, control registers and segments of a processor after a reset (SDM volume 3A, table 11-1).
  mutating func reset() {
    registers = Registers()
    registers.rflags = 2
    special.cr0 = Control.extensionType
    special.cr3 = 0
    special.cr4 = 0
    special.efer = 0
    special.gdt = DescriptorTable(base: 0, limit: 0xffff)
    special.idt = DescriptorTable(base: 0, limit: 0xffff)
    setSegments(code: .realMode(type: 0xb), data: .realMode(type: 0x3))
  }

  /// Real mode with CS:IP at a linear address below 1 MiB, all other segments at zero, the stack below 0x8000 or the
  /// image. Below 64 KiB CS is zero too, as a PC's firmware enters a boot sector at 0000:7C00.
  mutating func enterRealMode(at address: UInt64) {
    for segment in [\SpecialRegisters.ds, \.es, \.fs, \.gs, \.ss] {
      special[keyPath: segment].selector = 0
      special[keyPath: segment].base = 0
    }
    let base = address < 1 << 16 ? 0 : address & ~0xf
    special.cs.selector = UInt16(truncatingIfNeeded: base >> 4)
    special.cs.base = base
    registers.rip = address - base
    registers.rsp = address > 0 && address <= 0x8000 ? address : 0x8000
  }

  /// 32-bit protected mode without paging, as the Multiboot specification asks for (section 3.2).
  mutating func enterMultiboot(at entry: UInt32, layout: BootLayout) {
    special.cr0 = Control.protectedMode | Control.extensionType
    special.gdt = DescriptorTable(
      base: layout.descriptors, limit: UInt16(8 * BootStructures.multibootDescriptors.count - 1))
    setSegments(code: .flatCode32, data: .flatData)
    registers.rip = UInt64(entry)
    registers.rax = UInt64(MultibootHeader.bootMagic)
    registers.rbx = layout.multibootInformation
  }

  /// A Linux kernel's 64-bit entry: long mode on identity-mapped memory, the boot parameters' address in RSI (kernel,
  /// Documentation/arch/x86/boot.rst, "64-bit Boot Protocol").
  mutating func enterLinux(at entry: UInt64) {
    special.cr0 = Control.protectedMode | Control.extensionType | Control.paging
    special.cr3 = LinuxLayout.pageTables
    special.cr4 = Control.physicalAddressExtension
    special.efer = Control.longModeEnable | Control.longModeActive
    setKernelSegments(isLong: true)
    registers.rip = entry
    registers.rsi = LinuxLayout.bootParameters
  }

  /// A PVH entry: 32-bit protected mode without paging, a 32-bit TSS, the start information's address in EBX (Xen,
  /// docs/misc/pvh.pandoc).
  mutating func enterPVH(at entry: UInt32) {
    special.cr0 = Control.protectedMode | Control.extensionType
    special.cr4 = 0
    setKernelSegments(isLong: false)
    special.tr.base = 0
    special.tr.limit = 0x67
    special.tr.type = 0xb
    registers.rip = UInt64(entry)
    registers.rbx = LinuxLayout.startInfo
  }

  private mutating func setKernelSegments(isLong: Bool) {
    special.gdt = DescriptorTable(
      base: LinuxLayout.descriptors, limit: UInt16(8 * LinuxLayout.globalDescriptors.count - 1))
    setSegments(
      code: .flat(selector: LinuxLayout.codeSelector, type: 0xb, isLong: isLong),
      data: .flat(selector: LinuxLayout.dataSelector, type: 0x3))
  }

  private mutating func setSegments(code: Segment, data: Segment) {
    special.cs = code
    special.ds = data
    special.es = data
    special.fs = data
    special.gs = data
    special.ss = data
  }
}

extension Segment {
  /// The descriptors of `BootStructures`, as the processor caches them.
  fileprivate static let flatCode64 = flat(selector: 0x08, type: 0xb, isLong: true)
  fileprivate static let flatData = flat(selector: 0x10, type: 0x3)
  fileprivate static let flatCode32 = flat(selector: 0x08, type: 0xb)

  fileprivate static func realMode(type: UInt8) -> Segment {
    var segment = Segment()
    segment.limit = 0xffff
    segment.type = type
    segment.present = 1
    segment.s = 1
    return segment
  }

  fileprivate static func flat(selector: UInt16, type: UInt8, isLong: Bool = false) -> Segment {
    var segment = Segment()
    segment.limit = 0xffff_ffff
    segment.selector = selector
    segment.type = type
    segment.present = 1
    segment.s = 1
    segment.g = 1
    segment.l = isLong ? 1 : 0
    segment.db = isLong ? 0 : 1
    return segment
  }
}
