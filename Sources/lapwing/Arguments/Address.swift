import ArgumentParser

/// An address as people write it: `0x7c00` or `31744`.
struct Address: ExpressibleByArgument, CustomStringConvertible {
  let value: UInt64

  init?(argument: String) {
    let isHexadecimal = argument.lowercased().hasPrefix("0x")
    guard let value = UInt64(isHexadecimal ? argument.dropFirst(2) : argument[...], radix: isHexadecimal ? 16 : 10)
    else { return nil }
    self.value = value
  }

  var description: String { "0x" + String(value, radix: 16) }
}
