/// An access of a guest to interrupt controllers by memory or ports.
public struct GuestAccess: Hashable, Sendable {
  /// What it goes to.
  public enum Space: Int, Sendable, CaseIterable {
    /// The page of the vCPU's local APIC at 0xfee00000.
    case localAPIC
    /// The page of the IOAPIC at 0xfec00000.
    case ioapic
    /// Ports.
    case ports
  }

  /// What it goes to.
  public var space: Space
  /// Where: in the page, or the first port.
  public var place: UInt16
  /// How many bytes: 1, 2 or 4, and 8 in memory.
  public var width: Int
  /// What is written; nil for a read. Eight bytes are always 0, whatever it says.
  public var value: UInt64?

  /// An access.
  public init(_ space: Space, at place: UInt16, width: Int, writing value: UInt64? = nil) {
    self.space = space
    self.place = place
    self.width = width
    self.value = width == 8 && value != nil ? 0 : value
  }

  /// Where the instruction leaves 8 bytes that it has read.
  static let wideResult = 0x8f00

  /// The widths that there is an instruction for.
  static let widths = [1, 2, 4, 8]

  /// The instruction, in real mode: ES has the local APIC's page, FS the IOAPIC's, BX the place in them, DX the port.
  var instruction: [UInt8] {
    let isWrite = value != nil
    guard space != .ports else { return (width == 4 ? [0x66] : []) + [(isWrite ? 0xee : 0xec) + (width == 1 ? 0 : 1)] }
    let segment: UInt8 = space == .localAPIC ? 0x26 : 0x64
    return switch width {
    case 1: [segment, isWrite ? 0x88 : 0x8a, 0x07]
    case 2: [segment, isWrite ? 0x89 : 0x8b, 0x07]
    // movq [bx], mm1, which nothing has written to.
    case 8 where isWrite: [segment, 0x0f, 0x7f, 0x0f]
    // movq mm0, [bx]; movq [wideResult], mm0
    case 8:
      [segment, 0x0f, 0x6f, 0x07, 0x0f, 0x7f, 0x06, UInt8(Self.wideResult & 0xff), UInt8(Self.wideResult >> 8)]
    default: [segment, 0x66, isWrite ? 0x89 : 0x8b, 0x07]
    }
  }

  /// Which of all instructions it has.
  var number: Int {
    (space.rawValue * Self.widths.count + (Self.widths.firstIndex(of: width) ?? 0)) * 2 + (value == nil ? 0 : 1)
  }

  /// One of each instruction.
  static let all: [GuestAccess] = Space.allCases.flatMap { space in
    widths.flatMap { [GuestAccess(space, at: 0, width: $0), GuestAccess(space, at: 0, width: $0, writing: 0)] }
  }
}

extension GuestAccess: CustomStringConvertible {
  /// As in `4 bytes at 0x80 of the local APIC's page`.
  public var description: String {
    let place = "0x" + String(place, radix: 16)
    let name =
      switch space {
      case .localAPIC: "\(place) of the local APIC's page"
      case .ioapic: "\(place) of the IOAPIC's page"
      case .ports: "port \(place)"
      }
    let what = value.map { "writes 0x\(String($0, radix: 16)), " } ?? "reads "
    return what + "\(width) byte\(width == 1 ? "" : "s") at \(name)"
  }
}
