public import APIC

/// Segments, descriptor tables, control registers, EFER and the APIC base (KVM API, KVM_GET_SREGS and KVM_GET_SREGS2;
/// SDM volume 3A, chapter 2).
public struct SpecialRegisters: Hashable, Sendable {
  /// The code segment.
  public var cs = Segment()
  /// The data segment.
  public var ds = Segment()
  /// ES.
  public var es = Segment()
  /// FS.
  public var fs = Segment()
  /// GS.
  public var gs = Segment()
  /// The stack segment.
  public var ss = Segment()
  /// The task register.
  public var tr = Segment()
  /// The local descriptor table.
  public var ldt = Segment()
  /// The global descriptor table.
  public var gdt = DescriptorTable()
  /// The interrupt descriptor table.
  public var idt = DescriptorTable()
  /// CR0.
  public var cr0: UInt64 = 0
  /// CR2: the last page fault's address.
  public var cr2: UInt64 = 0
  /// CR3: the page tables.
  public var cr3: UInt64 = 0
  /// CR4.
  public var cr4: UInt64 = 0
  /// CR8: bits 7:4 of the task priority.
  public var cr8: UInt64 = 0
  /// IA32_EFER.
  public var efer: UInt64 = 0
  /// IA32_APIC_BASE.
  public var apicBase = APICBase(rawValue: 0)

  /// The external interrupt that is injected and not yet delivered, if any (KVM_GET_SREGS only).
  public var injectedInterrupt = VectorSet()

  /// The four PAE page-directory pointers, where they are in use (KVM_GET_SREGS2 only).
  public var pageDirectoryPointers: [UInt64]?

  /// Registers that are all 0, which no processor is ever in: start from a vCPU's.
  public init() {}
}
