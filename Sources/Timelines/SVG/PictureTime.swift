/// Where moments stand in a panel, and how lengths of time are written.
struct PictureTime {
  /// The time at the left edge, in nanoseconds.
  var origin: Double
  var left: Double
  var width: Double
  /// How much a nanosecond takes.
  var scale: Double

  func x(_ time: Int64) -> Double { left + (Double(time) - origin) * scale }

  /// The same, within the panel.
  func clamped(_ time: Int64) -> Double { min(max(x(time), left), left + width) }

  /// A length of time with three digits that count.
  static func text(_ nanoseconds: Int64) -> String {
    let size = Double(nanoseconds.magnitude)
    for (unit, scale) in [("s", 1e9), ("ms", 1e6), ("µs", 1e3)] where size >= scale * 0.9995 {
      let value = size / scale
      let digits = value < 9.995 ? 100.0 : value < 99.95 ? 10.0 : 1.0
      let parts = Int64((value * digits).rounded())
      let rest = String(parts % Int64(digits))
      let zeros = String(repeating: "0", count: digits == 100 ? 2 - rest.count : 0)
      let fraction = parts % Int64(digits) == 0 ? "" : "." + zeros + rest
      return (nanoseconds < 0 ? "-" : "") + "\(parts / Int64(digits))\(fraction) \(unit)"
    }
    return "\(nanoseconds) ns"
  }

  /// The roundest length of time that is no longer.
  static func unit(atMost nanoseconds: Double) -> Int64 {
    var unit: Int64 = 1
    while Double(unit) * 10 <= nanoseconds, unit < 1_000_000_000_000 { unit *= 10 }
    for factor: Int64 in [5, 2] where Double(unit * factor) <= nanoseconds { return unit * factor }
    return unit
  }
}
