import APIC

extension TraceEvent.Detail {
  /// What the text behind a tracepoint's name says, by the formats of arch/x86/kvm/trace.h; nil where it is not of that
  /// format.
  ///
  /// - Parameter name: one of `TraceConfiguration.wanted`.
  init?(name: String, text: ArraySlice<UInt8>) {
    let detail: Self? =
      switch name {
      case "kvm_entry": .entered
      case "kvm_exit": .left
      case "kvm_apic_accept_irq":
        Fields(text).acceptance.map { .accepted(vcpuID: $0, vector: $1, mode: $2) }
      case "kvm_apicv_accept_irq":
        Fields(text).acceptance.map { .acceptedByHardware(vcpuID: $0, vector: $1, mode: $2) }
      case "kvm_inj_virq": Fields(text).injection
      case "kvm_eoi", "kvm_pv_eoi": Fields(text).endOfInterrupt
      case "kvm_msi_set_irq": Fields(text).message
      case "kvm_ioapic_set_irq": Fields(text).ioapic
      case "kvm_apicv_inhibit_changed": Fields(text).inhibit
      case "kvm_vcpu_wakeup": Fields(text).wakeUp
      default: .other(Fields(text).joined)
      }
    guard let detail else { return nil }
    self = detail
  }
}

/// The words of an event's text.
private struct Fields {
  let words: [TraceWord]

  init(_ text: ArraySlice<UInt8>) { words = text.words() }

  /// All of them, with a space between each two.
  var joined: String { words.map(\.text).joined(separator: " ") }

  /// The word behind `key`.
  private func value(_ key: StaticString) -> TraceWord? {
    guard let index = words.firstIndex(where: { $0.reads(key) }), index + 1 < words.count else { return nil }
    return words[index + 1]
  }

  private func hexadecimal<Value: FixedWidthInteger>(_ key: StaticString) -> Value? {
    value(key).flatMap { $0.number(radix: 16) }
  }

  private func vector(_ key: StaticString) -> Vector? {
    value(key).flatMap { $0.number(UInt8.self) }.map(Vector.init(rawValue:))
  }

  /// The words in brackets at the end, which are separated by bars.
  private func brackets(_ key: StaticString) -> [TraceWord]? {
    guard let index = words.firstIndex(where: { $0.reads(key) }), index + 2 < words.count else { return nil }
    let text = words[index + 2]
    guard text.begins("("), let end = text.firstIndex(of: UInt8(ascii: ")")) else { return nil }
    return text[(text.startIndex + 1)..<end].split(separator: UInt8(ascii: "|"))
  }

  /// `apicid 1 vec 82 (Fixed|edge)`
  var acceptance: (UInt32, Vector, String)? {
    guard let id: UInt32 = hexadecimal("apicid"), let vector = vector("vec"), let mode = brackets("vec")?.first else {
      return nil
    }
    return (id, vector, mode.text)
  }

  /// `IRQ 0x52 [reinjected]`, on older kernels `irq 82`. Software's own interrupts (INT n) are no interrupt of an APIC.
  var injection: TraceEvent.Detail? {
    guard words.count >= 2 else { return nil }
    let number: UInt8? = words[1].begins("0x") ? words[1].dropFirst(2).number(radix: 16) : words[1].number()
    guard let number else { return nil }
    if words[0].reads("IRQ") || words[0].reads("irq") {
      return .injected(vector: Vector(rawValue: number), isReinjected: words.last?.reads("[reinjected]") == true)
    }
    return words[0].reads("Soft/INTn") ? .other(joined) : nil
  }

  /// `apicid 1 vector 82`; -1 where no interrupt was in service.
  var endOfInterrupt: TraceEvent.Detail? {
    guard let id: UInt32 = hexadecimal("apicid"), let word = value("vector") else { return nil }
    if word.reads("-1") { return .endOfInterrupt(vcpuID: id, vector: nil) }
    return word.number(UInt8.self).map { .endOfInterrupt(vcpuID: id, vector: Vector(rawValue: $0)) }
  }

  /// `dst 1 vec 82 (Fixed|physical|edge)`
  var message: TraceEvent.Detail? {
    guard let destination: UInt64 = hexadecimal("dst"), let vector = vector("vec"), brackets("vec") != nil else {
      return nil
    }
    return .message(destination: destination, vector: vector)
  }

  /// `pin 4 dst 0 vec 82 (Fixed|physical|edge|masked) (coalesced)`
  var ioapic: TraceEvent.Detail? {
    guard let pin = value("pin").flatMap({ $0.number(Int.self) }), let vector = vector("vec"),
      let modes = brackets("vec")
    else { return nil }
    return .ioapic(
      pin: pin, vector: vector, isMasked: modes.contains { $0.reads("masked") },
      isCoalesced: words.last?.reads("(coalesced)") == true)
  }

  /// `set reason=6, inhibits=0x40 APIC_ID_MODIFIED`
  var inhibit: TraceEvent.Detail? {
    guard words.count >= 3, words[0].reads("set") || words[0].reads("cleared"), words[1].begins("reason="),
      words[2].begins("inhibits=0x"),
      let reason = words[1].dropFirst(7).prefix(while: { $0 != UInt8(ascii: ",") }).number(Int.self),
      let inhibits = words[2].dropFirst(11).number(UInt64.self, radix: 16)
    else { return nil }
    return .inhibit(isSet: words[0].reads("set"), reason: reason, inhibits: inhibits)
  }

  /// `wait time 12345 ns, polling valid`
  var wakeUp: TraceEvent.Detail? {
    guard words.count >= 3, words[1].reads("time") else { return nil }
    if words[0].reads("wait") { return .wokenUp(hadSlept: true) }
    return words[0].reads("poll") ? .wokenUp(hadSlept: false) : nil
  }
}
