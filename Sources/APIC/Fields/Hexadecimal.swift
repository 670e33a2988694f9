#if !hasFeature(Embedded)
/// The value in hexadecimal with a prefix, filled with zeros to that many digits.
func hexadecimal(_ value: some FixedWidthInteger & UnsignedInteger, digits: Int = 1) -> String {
  let number = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: max(0, digits - number.count)) + number
}
#endif
