#if !hasFeature(Embedded)
/// A number in hexadecimal, as the manuals write it: `0x70`. Every module of the package writes it so.
///
/// - Parameters:
///   - value: The number.
///   - digits: How many digits it has at the least; zeros fill it up.
package func hex(_ value: some BinaryInteger, digits: Int = 1) -> String {
  let number = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: max(0, digits - number.count)) + number
}
#endif
