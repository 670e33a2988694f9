import APIC

extension TraceEvent.Detail {
  /// What the text behind a tracepoint's name says, by the formats of arch/x86/kvm/trace.h; nil where it is not of that
  /// format, or the tracepoint is none that is recorded.
  init?(name: String, words: [Substring]) {
    guard TraceConfiguration.wanted.contains(name) else { return nil }
    let fields = Fields(words)
    let detail: Self? =
      switch name {
      case "kvm_apic_accept_irq":
        fields.acceptance.map { .accepted(vcpuID: $0, vector: $1, mode: $2) }
      case "kvm_apicv_accept_irq":
        fields.acceptance.map { .acceptedByHardware(vcpuID: $0, vector: $1, mode: $2) }
      case "kvm_inj_virq": fields.injection
      case "kvm_eoi", "kvm_pv_eoi": fields.endOfInterrupt
      case "kvm_msi_set_irq": fields.message
      case "kvm_ioapic_set_irq": fields.ioapic
      case "kvm_apicv_inhibit_changed": fields.inhibit
      case "kvm_vcpu_wakeup": fields.wakeUp
      case "kvm_entry": .entered
      case "kvm_exit": .left
      default: .other(words.joined(separator: " "))
      }
    guard let detail else { return nil }
    self = detail
  }
}

/// The words of an event's text.
private struct Fields {
  let words: [Substring]

  init(_ words: [Substring]) { self.words = words }

  /// The word behind `key`.
  private func value(_ key: String) -> Substring? {
    guard let index = words.firstIndex(of: key[...]), index + 1 < words.count else { return nil }
    return words[index + 1]
  }

  private func hexadecimal<Value: FixedWidthInteger>(_ key: String) -> Value? {
    value(key).flatMap { Value($0, radix: 16) }
  }

  private func vector(_ key: String) -> Vector? {
    value(key).flatMap { UInt8($0) }.map(Vector.init(rawValue:))
  }

  /// The words in brackets at the end, which are separated by bars.
  private func brackets(_ key: String) -> [Substring]? {
    guard let index = words.firstIndex(of: key[...]), index + 2 < words.count else { return nil }
    let text = words[index + 2]
    guard text.hasPrefix("("), let end = text.firstIndex(of: ")") else { return nil }
    return text[text.index(after: text.startIndex)..<end].split(separator: "|")
  }

  /// `apicid 1 vec 82 (Fixed|edge)`
  var acceptance: (UInt32, Vector, String)? {
    guard let id: UInt32 = hexadecimal("apicid"), let vector = vector("vec"), let mode = brackets("vec")?.first else {
      return nil
    }
    return (id, vector, String(mode))
  }

  /// `IRQ 0x52 [reinjected]`, on older kernels `irq 82`. Software's own interrupts (INT n) are no interrupt of an APIC.
  var injection: TraceEvent.Detail? {
    guard words.count >= 2 else { return nil }
    let number =
      words[1].hasPrefix("0x") ? UInt8(words[1].dropFirst(2), radix: 16) : UInt8(words[1])
    guard let number else { return nil }
    switch words[0] {
    case "IRQ", "irq":
      return .injected(vector: Vector(rawValue: number), isReinjected: words.last == "[reinjected]")
    case "Soft/INTn": return .other(words.joined(separator: " "))
    default: return nil
    }
  }

  /// `apicid 1 vector 82`; -1 where no interrupt was in service.
  var endOfInterrupt: TraceEvent.Detail? {
    guard let id: UInt32 = hexadecimal("apicid"), let word = value("vector"), let number = Int(word) else { return nil }
    guard number >= 0 else { return .endOfInterrupt(vcpuID: id, vector: nil) }
    return UInt8(exactly: number).map { .endOfInterrupt(vcpuID: id, vector: Vector(rawValue: $0)) }
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
    guard let pin = value("pin").flatMap({ Int($0) }), let vector = vector("vec"), let modes = brackets("vec") else {
      return nil
    }
    return .ioapic(
      pin: pin, vector: vector, isMasked: modes.contains("masked"), isCoalesced: words.last == "(coalesced)")
  }

  /// `set reason=6, inhibits=0x40 APIC_ID_MODIFIED`
  var inhibit: TraceEvent.Detail? {
    guard words.count >= 3, ["set", "cleared"].contains(words[0]), words[1].hasPrefix("reason="),
      words[2].hasPrefix("inhibits=0x"), let reason = Int(words[1].dropFirst(7).prefix { $0 != "," }),
      let inhibits = UInt64(words[2].dropFirst(11), radix: 16)
    else { return nil }
    return .inhibit(isSet: words[0] == "set", reason: reason, inhibits: inhibits)
  }

  /// `wait time 12345 ns, polling valid`
  var wakeUp: TraceEvent.Detail? {
    guard words.count >= 3, ["wait", "poll"].contains(words[0]), words[1] == "time" else { return nil }
    return .wokenUp(hadSlept: words[0] == "wait")
  }
}
