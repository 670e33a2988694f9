/// What gdb is told when the guest has stopped or ended (Debugging with GDB, "Stop Reply Packets").
public enum StopReply: Hashable, Sendable {
  /// Why a thread has stopped.
  public enum Reason: Hashable, Sendable {
    /// A step, or the debugger has just come.
    case trap
    /// Ctrl-C.
    case interrupt
    /// An instruction that `Z0` is about.
    case softwareBreakpoint
    /// One that `Z1` is about.
    case hardwareBreakpoint
    /// A write to what `Z2` is about.
    case writeWatch(address: UInt64)
    /// An access to what `Z4` is about.
    case accessWatch(address: UInt64)
  }

  /// A vCPU has stopped, and all others with it. Some of its registers come along, by their numbers.
  case stopped(Reason, vcpu: Int, registers: [RegisterValue])
  /// The guest ended with a status.
  case exited(status: UInt32)
  /// It was ended, for which a signal's number of gdb's stands.
  case terminated(signal: UInt8)

  /// What a register holds, by its number.
  public struct RegisterValue: Hashable, Sendable {
    /// Its number.
    public var number: Int
    /// Its bytes, least significant first.
    public var bytes: [UInt8]

    /// A value.
    public init(number: Int, bytes: [UInt8]) {
      self.number = number
      self.bytes = bytes
    }
  }

  /// What of a stop gdb has said that it understands (`qSupported`).
  public struct Features: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8

    /// The features with those bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `swbreak+`
    public static let softwareBreakpoints = Features(rawValue: 1)
    /// `hwbreak+`
    public static let hardwareBreakpoints = Features(rawValue: 2)
    /// All of them.
    public static let all: Features = [.softwareBreakpoints, .hardwareBreakpoints]
  }

  /// The packet's body.
  public func body(features: Features) -> String {
    switch self {
    case .exited(let status): return "W" + Self.digits(UInt64(status), atLeast: 2)
    case .terminated(let signal): return "X" + Self.digits(UInt64(signal), atLeast: 2)
    case .stopped(let reason, let vcpu, let registers):
      var body = reason == .interrupt ? "T02" : "T05"
      switch reason {
      case .softwareBreakpoint where features.contains(.softwareBreakpoints): body += "swbreak:;"
      case .hardwareBreakpoint where features.contains(.hardwareBreakpoints): body += "hwbreak:;"
      case .writeWatch(let address): body += "watch:\(Self.digits(address));"
      case .accessWatch(let address): body += "awatch:\(Self.digits(address));"
      default: break
      }
      body += "thread:\(Self.digits(UInt64(vcpu + 1)));"
      for register in registers {
        body += Self.digits(UInt64(register.number), atLeast: 2) + ":"
        body += String(decoding: Packet.hexDigits(of: register.bytes), as: UTF8.self) + ";"
      }
      return body
    }
  }

  /// A number in hexadecimal digits, without a prefix.
  static func digits(_ number: UInt64, atLeast count: Int = 1) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, count - digits.count)) + digits
  }
}
