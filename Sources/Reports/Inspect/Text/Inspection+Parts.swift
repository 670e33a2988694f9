import Support

extension Inspection {
  /// A part of the state that is shown by itself.
  public enum Part: Hashable, Sendable {
    /// A vCPU with its local APIC.
    case localAPIC(vcpu: Int)
    /// What a vCPU takes next, and what holds the rest back.
    case delivery(vcpu: Int)
    /// The IOAPIC.
    case ioapic
    /// The PICs.
    case pic
  }

  /// A part of the state for a person.
  ///
  /// - Returns: the text, without a newline at its end; nil where the machine has no such part.
  public func text(of part: Part, _ style: Style = Style()) -> String? {
    var lines =
      switch part {
      case .localAPIC(let vcpu): inspection(of: vcpu)?.lines(style) ?? []
      case .delivery(let vcpu): inspection(of: vcpu)?.deliveryLines(style) ?? []
      case .ioapic: ioapicLines(style)
      case .pic: picLines(style)
      }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.isEmpty ? nil : lines.text
  }

  private func inspection(of vcpu: Int) -> VCPUInspection? { vcpus.first { $0.index == vcpu } }
}
