/// Why a vCPU left the guest, by its number (kvm_exit).
public struct ExitReason: Hashable, Sendable {
  /// The number in the hardware's own list: a basic exit reason of VT-x, or an exit code of SVM.
  public var number: UInt32
  /// Whose list that is: 1 for VT-x (kernel, `KVM_ISA_VMX`).
  public var architecture: UInt8

  /// The host's vector of an exit for an interrupt of the host's; nil where nothing tells it, and for other exits.
  public var vector: UInt8?

  /// The reason with that number.
  public init(number: UInt32, architecture: UInt8, vector: UInt8? = nil) {
    self.number = number
    self.architecture = architecture
    self.vector = vector
  }

  /// The exit for an interrupt of the host's, which a notification of a posted interrupt becomes where it does not find the
  /// processor in guest mode (SDM volume 3D, appendix C, number 1).
  var isExternalInterrupt: Bool { architecture == Self.vmx && number & 0xffff == 1 }

  /// Whether it may be for the notification of a posted interrupt: not where it is for another vector of the host's.
  var mayBeNotification: Bool { isExternalInterrupt && (vector ?? Self.notification) == Self.notification }

  /// POSTED_INTR_VECTOR (kernel, arch/x86/include/asm/irq_vectors.h).
  private static let notification: UInt8 = 0xf2

  static let vmx: UInt8 = 1
}

/// The kernel's own names of exits, such as `EXTERNAL_INTERRUPT`: those that the text of its kvm_exit has.
public struct ExitNames: Hashable, Sendable {
  private var names: [UInt64: String] = [:]
  private var others: [UInt64: String] = [:]

  /// No names: every exit is told by its number.
  public init() {}

  /// The names in a kvm_exit's format. It has a table for VT-x, whose numbers have flags above bit 15, and one for SVM
  /// (kernel, `kvm_print_exit_reason`).
  init(_ tables: [PrintedNames]) {
    names = tables.first?.names ?? [:]
    others = tables.dropFirst().first?.names ?? [:]
  }

  /// An exit's name, or its number where the kernel has no name for it.
  public subscript(reason: ExitReason) -> String {
    let isVMX = reason.architecture == ExitReason.vmx
    let number = isVMX ? reason.number & 0xffff : reason.number
    // Codes of SVM are sign-extended where the table has one that is negative.
    let name =
      isVMX
      ? names[UInt64(number)] : others[UInt64(number)] ?? others[UInt64(bitPattern: Int64(Int32(bitPattern: number)))]
    return name ?? "exit \(number)"
  }
}
