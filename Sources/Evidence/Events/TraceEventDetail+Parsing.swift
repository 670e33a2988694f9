import APIC

extension TraceEvent.Detail {
  /// What the text behind a tracepoint's name says, by the formats of arch/x86/kvm/trace.h; nil where it is not of that
  /// format.
  ///
  /// - Parameters:
  ///   - name: one of `TraceConfiguration.wanted`.
  ///   - text: the trace.
  ///   - rest: where in it the event's own text is.
  init?(name: String, _ text: Span<UInt8>, _ rest: Range<Int>) {
    let detail: Self? =
      switch name {
      case "kvm_apic_accept_irq":
        Self.acceptance(text, rest).map { .accepted(vcpuID: $0, vector: $1, mode: $2) }
      case "kvm_apicv_accept_irq":
        Self.acceptance(text, rest).map { .acceptedByHardware(vcpuID: $0, vector: $1, mode: $2) }
      case "kvm_inj_virq": Self.injection(text, rest)
      case "kvm_eoi", "kvm_pv_eoi": Self.endOfInterrupt(text, rest)
      case "kvm_apic_ipi": Self.message(text, rest).map { .ipi(vector: $1) }
      case "kvm_msi_set_irq": Self.message(text, rest).map { .message(destination: $0, vector: $1) }
      case "kvm_set_irq": Self.line(text, rest)
      case "kvm_ack_irq": Self.acknowledgement(text, rest)
      case "kvm_ioapic_set_irq": Self.ioapic(text, rest)
      case "kvm_apicv_inhibit_changed": Self.inhibit(text, rest)
      case "kvm_vcpu_wakeup": Self.wakeUp(text, rest)
      case "kvm_entry": .entered
      case "kvm_exit": Self.exit(text, rest)
      default: Self.other(text, rest)
      }
    guard let detail else { return nil }
    self = detail
  }

  /// `apicid 1 vec 82 (Fixed|edge)`
  private static func acceptance(_ text: Span<UInt8>, _ rest: Range<Int>) -> (UInt32, Vector, String)? {
    var rest = rest
    guard let id: UInt32 = hexadecimal("apicid", text, &rest), let vector = vector(text, &rest),
      let modes = brackets(text, &rest)
    else { return nil }
    return (id, vector, text.text(modes.lowerBound..<text.first("|", in: modes)))
  }

  /// `IRQ 0x52 [reinjected]`, on older kernels `irq 82`. Software's own interrupts (INT n) are no interrupt of an APIC.
  private static func injection(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    let all = rest
    var rest = rest
    guard let kind = text.takeWord(off: &rest), let word = text.takeWord(off: &rest) else { return nil }
    let number: UInt8? =
      text.begins(word, "0x") ? text.number(word.dropFirst(2), radix: 16) : text.number(word)
    guard let number else { return nil }
    if text.reads(kind, "IRQ") || text.reads(kind, "irq") {
      let isReinjected = text.takeWord(off: &rest).map { text.reads($0, "[reinjected]") } ?? false
      return .injected(vector: Vector(rawValue: number), isReinjected: isReinjected)
    }
    return text.reads(kind, "Soft/INTn") ? other(text, all) : nil
  }

  /// `apicid 1 vector 82`; -1 where no interrupt was in service.
  private static func endOfInterrupt(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    var rest = rest
    guard let id: UInt32 = hexadecimal("apicid", text, &rest), let word = text.takeWord(behind: "vector", off: &rest)
    else { return nil }
    if text.reads(word, "-1") { return .endOfInterrupt(vcpuID: id, vector: nil) }
    return text.number(word).map { .endOfInterrupt(vcpuID: id, vector: Vector(rawValue: $0)) }
  }

  /// `dst 1 vec 82 (Fixed|physical|edge)`
  private static func message(_ text: Span<UInt8>, _ rest: Range<Int>) -> (UInt64, Vector)? {
    var rest = rest
    guard let destination: UInt64 = hexadecimal("dst", text, &rest), let vector = vector(text, &rest),
      brackets(text, &rest) != nil
    else { return nil }
    return (destination, vector)
  }

  /// `gsi 20 level 1 source 0`
  private static func line(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    var rest = rest
    guard let gsi = text.takeWord(behind: "gsi", off: &rest).flatMap({ text.number($0, as: UInt32.self) }),
      let level = text.takeWord(behind: "level", off: &rest)
    else { return nil }
    return .line(gsi: gsi, isHigh: !text.reads(level, "0"))
  }

  /// `irqchip IOAPIC pin 20`; those of the PIC are of no interest.
  private static func acknowledgement(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    let all = rest
    var rest = rest
    guard let chip = text.takeWord(behind: "irqchip", off: &rest) else { return nil }
    guard text.reads(chip, "IOAPIC") else { return other(text, all) }
    return text.takeWord(behind: "pin", off: &rest).flatMap { text.number($0, as: Int.self) }.map {
      .acknowledged(pin: $0)
    }
  }

  /// `pin 4 dst 0 vec 82 (Fixed|physical|edge|masked) (coalesced)`
  private static func ioapic(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    var rest = rest
    guard let pin = text.takeWord(behind: "pin", off: &rest).flatMap({ text.number($0, as: Int.self) }),
      let vector = vector(text, &rest), var modes = brackets(text, &rest)
    else { return nil }
    var isMasked = false
    while !modes.isEmpty {
      let end = text.first("|", in: modes)
      if text.reads(modes.lowerBound..<end, "masked") { isMasked = true }
      modes = min(end + 1, modes.upperBound)..<modes.upperBound
    }
    let isCoalesced = text.takeWord(off: &rest).map { text.reads($0, "(coalesced)") } ?? false
    return .ioapic(pin: pin, vector: vector, isMasked: isMasked, isCoalesced: isCoalesced)
  }

  /// `set reason=6, inhibits=0x40 APIC_ID_MODIFIED`
  private static func inhibit(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    var rest = rest
    guard let change = text.takeWord(off: &rest), text.reads(change, "set") || text.reads(change, "cleared"),
      let cause = text.takeWord(off: &rest), text.begins(cause, "reason="),
      let all = text.takeWord(off: &rest), text.begins(all, "inhibits=0x"),
      let reason = text.number((cause.lowerBound + 7)..<text.first(",", in: cause), as: Int.self),
      let inhibits = text.number(all.dropFirst(11), as: UInt64.self, radix: 16)
    else { return nil }
    return .inhibit(isSet: text.reads(change, "set"), reason: reason, inhibits: inhibits)
  }

  /// `wait time 12345 ns, polling valid`
  private static func wakeUp(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    var rest = rest
    guard let kind = text.takeWord(off: &rest), let word = text.takeWord(off: &rest), text.reads(word, "time"),
      text.takeWord(off: &rest) != nil
    else { return nil }
    if text.reads(kind, "wait") { return .wokenUp(hadSlept: true) }
    return text.reads(kind, "poll") ? .wokenUp(hadSlept: false) : nil
  }

  /// `vcpu 1 reason EXTERNAL_INTERRUPT rip 0x100204 info1 0x0 ...`; before Linux 5.12 without the vCPU.
  private static func exit(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self? {
    var rest = rest
    return text.takeWord(behind: "reason", off: &rest).map { .exited(reason: text.text($0)) }
  }

  /// All of it.
  private static func other(_ text: Span<UInt8>, _ rest: Range<Int>) -> Self {
    .other(text.text(min(rest.lowerBound + 1, rest.upperBound)..<rest.upperBound))
  }

  // MARK: Fields that several have

  private static func hexadecimal<Value: FixedWidthInteger>(
    _ key: StaticString, _ text: Span<UInt8>, _ rest: inout Range<Int>
  ) -> Value? {
    text.takeWord(behind: key, off: &rest).flatMap { text.number($0, radix: 16) }
  }

  private static func vector(_ text: Span<UInt8>, _ rest: inout Range<Int>) -> Vector? {
    text.takeWord(behind: "vec", off: &rest).flatMap { text.number($0, as: UInt8.self) }.map(Vector.init(rawValue:))
  }

  /// What is between brackets, separated by bars, in the next word.
  private static func brackets(_ text: Span<UInt8>, _ rest: inout Range<Int>) -> Range<Int>? {
    guard let word = text.takeWord(off: &rest), text.begins(word, "(") else { return nil }
    let end = text.first(")", in: word)
    return end < word.upperBound ? (word.lowerBound + 1)..<end : nil
  }
}
