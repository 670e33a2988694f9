/// An interrupt vector: which of the 256 IDT gates an interrupt enters through.
///
/// Vectors 0 to 15 are illegal for the local APIC; 16 to 31 are reserved for exceptions but can be
/// requested (SDM volume 3A, sections 12.5.2 and 12.8.4).
public struct Vector: RawRepresentable, Hashable, Sendable {
  /// The vector's number.
  public var rawValue: UInt8

  /// The vector with that number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Bits 7:4, which the local APIC compares with the processor priority (SDM volume 3A, section 12.8.3.1).
  public var priorityClass: UInt8 { rawValue >> 4 }
}

extension Vector: Comparable {
  /// Orders vectors by number, which is also their order of priority.
  public static func < (left: Vector, right: Vector) -> Bool { left.rawValue < right.rawValue }
}

extension Vector: ExpressibleByIntegerLiteral {
  /// The vector with that number, written as a literal.
  public init(integerLiteral value: UInt8) {
    self.init(rawValue: value)
  }
}

#if !hasFeature(Embedded)
extension Vector: CustomStringConvertible {
  /// The vector's number, as in `0x30`.
  public var description: String { hex(rawValue, digits: 2) }
}
#endif

/// A task or processor priority: what the TPR and the PPR hold (SDM volume 3A, section 12.8.3.1).
public struct Priority: RawRepresentable, Hashable, Sendable {
  /// The register's bits 7:0.
  public var rawValue: UInt8

  /// The priority that a register holds in bits 7:0.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// The priority with that class and subclass.
  ///
  /// - Parameters:
  ///   - class: 0 to 15. Class 15 blocks every interrupt that a priority can block.
  ///   - subclass: 0 to 15. It blocks nothing by itself.
  public init(class: UInt8, subclass: UInt8 = 0) {
    self.init(rawValue: 0)
    self.class = `class`
    self.subclass = subclass
  }

  /// Bits 7:4, which a vector's class must exceed to be delivered.
  public var `class`: UInt8 {
    get { rawValue[bits: 4...7] }
    set { rawValue[bits: 4...7] = newValue }
  }

  /// Bits 3:0.
  public var subclass: UInt8 {
    get { rawValue[bits: 0...3] }
    set { rawValue[bits: 0...3] = newValue }
  }

  /// Whether a processor at this priority takes a fixed interrupt with that vector.
  public func allows(_ vector: Vector) -> Bool {
    vector.priorityClass > self.class
  }

  /// The priority at which a processor runs, the PPR.
  ///
  /// Where the classes are equal the SDM leaves the subclass to the model. KVM takes the task's, and so does this
  /// (`__apic_update_ppr` in arch/x86/kvm/lapic.c).
  ///
  /// - Parameters:
  ///   - taskPriority: The TPR.
  ///   - highestInService: The highest vector in the ISR, or `nil` if no interrupt is in service.
  public static func processorPriority(taskPriority: Priority, highestInService: Vector?) -> Priority {
    guard let highestInService, highestInService.priorityClass > taskPriority.class else { return taskPriority }
    return Priority(class: highestInService.priorityClass)
  }
}

extension Priority: ExpressibleByIntegerLiteral {
  /// The priority that a register holds in bits 7:0, written as a literal.
  public init(integerLiteral value: UInt8) {
    self.init(rawValue: value)
  }
}

#if !hasFeature(Embedded)
extension Priority: CustomStringConvertible {
  /// The register's value, as in `0x20`.
  public var description: String { hex(rawValue, digits: 2) }
}
#endif
