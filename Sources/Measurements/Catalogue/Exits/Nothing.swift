import GuestContract

extension Measurement {
  /// What measuring takes by itself: part of every other figure.
  static let nothing = [cost("tsc", "Two readings of the TSC with nothing between", .nothing)]
}
