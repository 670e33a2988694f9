import APIC
public import ArgumentParser
public import Support

/// A length of time as people write it: `10s`, `200ms`, `2m`, or seconds.
struct TimeLimit: ExpressibleByArgument, CustomStringConvertible {
  let duration: Duration
  let description: String
  /// Told without asking the runtime how (`ArgumentChoice`).
  var defaultValueDescription: String { description }

  /// That many seconds.
  static func seconds(_ count: Int) -> TimeLimit {
    TimeLimit(duration: .seconds(count), description: "\(count)s")
  }

  private init(duration: Duration, description: String) {
    self.duration = duration
    self.description = description
  }

  init?(argument: String) {
    guard let duration = Duration(written: argument), duration > .zero else { return nil }
    self.duration = duration
    description = argument
  }
}

/// An address as people write it: `0x7c00` or `31744`.
struct Address: ExpressibleByArgument, CustomStringConvertible {
  let value: UInt64

  init?(argument: String) {
    let text = argument.lowercased()
    if text.hasPrefix("0x") {
      guard let value = Hexadecimal.integer(text) else { return nil }
      self.value = value
    } else {
      // A sign is no digit.
      guard text.first?.isNumber == true, let value = UInt64(text) else { return nil }
      self.value = value
    }
  }

  var description: String { hex(value) }
}

extension ByteSize: ExpressibleByArgument {
  /// A size as `64M`, `1G`, `512KiB`, or bytes.
  public init?(argument: String) { self.init(argument) }
}
