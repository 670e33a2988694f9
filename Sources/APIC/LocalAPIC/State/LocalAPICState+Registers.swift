extension LocalAPICState {
  /// The version register.
  public var version: LocalAPICVersion {
    get { LocalAPICVersion(rawValue: self[.version]) }
    set { self[.version] = newValue.rawValue }
  }

  /// The LDR as it stands; `logicalID(mode:)` decodes it.
  public var logicalDestination: UInt32 {
    get { self[.logicalDestination] }
    set { self[.logicalDestination] = newValue }
  }

  /// The DFR, or `nil` if it selects neither model; only xAPIC mode has it.
  public var destinationFormat: DestinationFormat? {
    DestinationFormat(registerValue: self[.destinationFormat])
  }

  /// Sets the DFR.
  public mutating func setDestinationFormat(_ format: DestinationFormat) {
    self[.destinationFormat] = format.registerValue
  }

  /// The SVR.
  public var spurious: SpuriousInterruptVectorRegister {
    get { SpuriousInterruptVectorRegister(rawValue: self[.spurious]) }
    set { self[.spurious] = newValue.rawValue }
  }

  /// The ESR.
  public var errorStatus: ErrorStatus {
    get { ErrorStatus(rawValue: self[.errorStatus]) }
    set { self[.errorStatus] = newValue.rawValue }
  }

  /// The entry that the local vector table has for a source.
  public func lvt(_ source: LocalVector) -> LVTEntry {
    LVTEntry(rawValue: self[source.register])
  }

  /// Sets the entry that the local vector table has for a source.
  public mutating func setLVT(_ source: LocalVector, to entry: LVTEntry) {
    self[source.register] = entry.rawValue
  }

  /// The count from which the timer starts.
  public var initialCount: UInt32 {
    get { self[.initialCount] }
    set { self[.initialCount] = newValue }
  }

  /// The count at which the timer is.
  public var currentCount: UInt32 {
    get { self[.currentCount] }
    set { self[.currentCount] = newValue }
  }

  /// The timer's divide configuration.
  public var divide: TimerDivide {
    get { TimerDivide(registerValue: self[.divide]) }
    set { self[.divide] = newValue.registerValue }
  }
}
