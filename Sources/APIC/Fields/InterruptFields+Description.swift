#if !hasFeature(Embedded)
extension FixedWidthInteger where Self: UnsignedInteger {
  /// The delivery mode and the vector, as in `Fixed 0x70`.
  var deliveryDescription: String {
    "\(deliveryMode?.description ?? "Reserved") \(vector)"
  }

  /// What a message says of its level, or nothing if it is an edge.
  var levelDescription: String {
    guard triggerMode == .level else { return "" }
    return isAsserted ? ", level asserted" : ", level deasserted"
  }
}
#endif
