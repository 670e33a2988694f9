/// The names of what inhibits APICv (APICV_INHIBIT_REASON_*), by their numbers, which differ from kernel to kernel.
public struct InhibitNames: Hashable, Sendable {
  private let names: [String]

  /// Names in the order of their numbers, from 0 on.
  public init(_ names: [String]) {
    self.names = names
  }

  /// The names in the print format of kvm_apicv_inhibit_changed, which has them all in the order of their numbers since
  /// Linux 6.12; none before.
  init(printFormat: String) {
    guard let flags = printFormat.firstRange(of: "__print_flags(") else {
      names = []
      return
    }
    // Every second piece is between quotes: first what stands between two names, then names; what is empty is printed where
    // there is no flag.
    let pieces = printFormat[flags.upperBound...].split(separator: "\"", omittingEmptySubsequences: false)
    names = pieces.enumerated().compactMap { $0.offset % 2 == 1 && $0.offset > 1 ? String($0.element) : nil }
      .prefix { !$0.isEmpty }.map { $0 }
  }

  /// Those of a kernel that does not tell them (kernel, arch/x86/include/asm/kvm_host.h, `enum kvm_apicv_inhibit`): none of
  /// one older than Linux 6.0.
  ///
  /// - Parameter isBefore: whether the kernel is older than this version.
  public init(isBefore: (_ major: Int, _ minor: Int) -> Bool) {
    let common = ["DISABLED", "HYPERV", "ABSENT", "BLOCKIRQ"]
    let avic = ["NESTED", "IRQWIN", "PIT_REINJ", "SEV"]
    let modified = ["APIC_ID_MODIFIED", "APIC_BASE_MODIFIED"]
    if isBefore(6, 0) {
      names = []
    } else if isBefore(6, 3) {
      names = common + modified + avic
    } else {
      names = common + ["PHYSICAL_ID_ALIASED"] + modified + avic + ["LOGICAL_ID_ALIASED"]
    }
  }

  /// Whether there are none.
  public var isEmpty: Bool { names.isEmpty }

  /// The name of a number; nil where the kernel's are not known.
  public subscript(number: Int) -> String? { names.indices.contains(number) ? names[number] : nil }
}
