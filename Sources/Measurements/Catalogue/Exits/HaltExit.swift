import GuestContract

extension Measurement {
  /// A halt that ends at once.
  static let haltExit = Measurement(
    "exit.hlt", "HLT with an interrupt waiting, and its delivery", .cost,
    span: "from before STI and HLT to the handler", by: .guest(.halt, target: .halted, vcpus: 1))
}
