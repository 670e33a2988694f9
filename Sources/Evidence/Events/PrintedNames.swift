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

  /// Whether it is for the host's own sake and not by what an interrupt of the guest's does: for an interrupt of the host's
  /// that is neither a notification of KVM's nor an interprocessor interrupt, by which the host has a vCPU leave the guest, such
  /// as a tick of its timer; or for memory that the host has not mapped yet (an EPT violation). False where nothing tells the
  /// vector.
  var isHostsOwn: Bool {
    isExternalInterrupt ? vector.map { !Self.kicks.contains($0) } == true : isEPTViolation
  }

  /// SDM volume 3D, appendix C, number 48.
  private var isEPTViolation: Bool { architecture == Self.vmx && number & 0xffff == 48 }

  /// POSTED_INTR_NESTED_VECTOR, POSTED_INTR_WAKEUP_VECTOR, POSTED_INTR_VECTOR, CALL_FUNCTION_SINGLE_VECTOR,
  /// CALL_FUNCTION_VECTOR and RESCHEDULE_VECTOR (kernel, arch/x86/include/asm/irq_vectors.h).
  private static let kicks: Set<UInt8> = [0xf0, 0xf1, 0xf2, 0xfb, 0xfc, 0xfd]
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

/// The names that a tracepoint's `print fmt` gives to values: one `__print_symbolic(EXPRESSION, { VALUE, "NAME" }, ...)`.
struct PrintedNames: Hashable, Sendable {
  /// The names by value, as the kernel's 64 bits of it.
  let names: [UInt64: String]

  private static let opening = "__print_symbolic("

  /// The tables in the text of a `print fmt`, in their order.
  static func all(in format: some StringProtocol) -> [PrintedNames] {
    var tables: [PrintedNames] = []
    var rest = Array(format.utf8)[...]
    let opening = Array(Self.opening.utf8)
    while let place = rest.firstIndex(of: opening) {
      rest = rest[(place + opening.count)...]
      tables.append(PrintedNames(takingFrom: &rest))
    }
    return tables
  }

  /// Reads entries up to the closing bracket.
  private init(takingFrom rest: inout ArraySlice<UInt8>) {
    var names: [UInt64: String] = [:]
    // Brackets of the expression before the entries, such as (REC->dm >> 8 & 0x7), are in pairs.
    var depth = 1
    while depth > 0, let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: "{"):
        let value = rest.take(upTo: UInt8(ascii: ","))
        _ = rest.take(upTo: UInt8(ascii: "\""))
        let name = rest.take(upTo: UInt8(ascii: "\""))
        _ = rest.take(upTo: UInt8(ascii: "}"))
        if let value = Self.sum(value) { names[value] = String(decoding: name, as: UTF8.self) }
      default: break
      }
    }
    self.names = names
  }

  /// The value of `0x040 + 1`, `-1` or `12`; nil for anything else.
  private static func sum(_ text: ArraySlice<UInt8>) -> UInt64? {
    var sum: UInt64 = 0
    for part in text.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false) {
      let word = String(decoding: part.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
      if word.hasPrefix("0x"), let value = UInt64(word.dropFirst(2), radix: 16) {
        sum &+= value
      } else if let value = Int64(word) {
        sum &+= UInt64(bitPattern: value)
      } else {
        return nil
      }
    }
    return sum
  }
}

extension ArraySlice<UInt8> {
  /// Where a text is first.
  fileprivate func firstIndex(of text: [UInt8]) -> Int? {
    guard count >= text.count, let first = text.first else { return nil }
    return (startIndex...(endIndex - text.count)).first { place in
      self[place] == first && self[place..<(place + text.count)].elementsEqual(text)
    }
  }

  /// Takes all up to a byte off, and the byte.
  fileprivate mutating func take(upTo byte: UInt8) -> ArraySlice {
    let end = firstIndex(where: { $0 == byte }) ?? endIndex
    defer { self = self[Swift.min(end + 1, endIndex)...] }
    return self[startIndex..<end]
  }
}
