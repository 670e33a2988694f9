public import KVM

extension MPState {
  /// What the vCPU does, for a person.
  var words: String {
    switch self {
    case .runnable: "running"
    case .uninitialized: "waiting for INIT"
    case .initReceived: "waiting for SIPI"
    case .halted: "halted"
    case .sipiReceived: "starting at a SIPI"
    case .apResetHold: "waiting for SIPI after a reset hold"
    }
  }

  /// What a person reads where such a vCPU has nothing to take.
  var nothingToTake: String {
    switch self {
    case .halted: "nothing: the vCPU stays halted"
    case .uninitialized: "nothing: the vCPU waits for INIT and SIPI"
    case .initReceived, .apResetHold: "nothing: the vCPU waits for SIPI"
    case .runnable, .sipiReceived: "nothing"
    }
  }
}

/// In reports it is its name, such as `halted`.
extension MPState: Codable {
  /// The state that a report names.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let state = MPState(name: name) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "this is no vCPU's state")
    }
    self = state
  }

  /// Writes its name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
