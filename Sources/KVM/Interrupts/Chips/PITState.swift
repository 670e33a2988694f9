import CKVM
import Synchronization
import SystemPackage

/// The in-kernel interval timer, an i8254 (KVM API, KVM_GET_PIT2, `struct kvm_pit_state2`).
public struct PITState: Hashable, Sendable {
  /// One of its three counters.
  public struct Channel: Hashable, Sendable {
    /// What it counts down from; 65536 is possible.
    public var count: UInt32 = 0
    /// The count that was latched.
    public var latchedCount: UInt16 = 0
    /// Whether a count is latched, and which half is read next.
    public var countLatched: UInt8 = 0
    /// Whether the status is latched.
    public var statusLatched: UInt8 = 0
    /// The status that was latched.
    public var status: UInt8 = 0
    /// Which half a read gives.
    public var readState: UInt8 = 0
    /// Which half a write sets.
    public var writeState: UInt8 = 0
    /// The half that was written first.
    public var writeLatch: UInt8 = 0
    /// Which halves are read and written.
    public var readWriteMode: UInt8 = 0
    /// The counting mode, 0 to 5.
    public var mode: UInt8 = 0
    /// Whether it counts in decimal.
    public var bcd: UInt8 = 0
    /// The gate input.
    public var gate: UInt8 = 0
    /// When counting started, in nanoseconds of the host's boot clock.
    public var countLoadTime: Int64 = 0

    /// A counter with every field 0.
    public init() {}
  }

  /// Counter 0, which interrupts (IRQ 0).
  public var channel0 = Channel()
  /// Counter 1, once the memory refresh.
  public var channel1 = Channel()
  /// Counter 2, the speaker.
  public var channel2 = Channel()
  /// An HPET has taken over IRQ 0 (KVM_PIT_FLAGS_HPET_LEGACY).
  public var isReplacedByHPET = false
  /// The speaker's data bit (KVM_PIT_FLAGS_SPEAKER_DATA_ON).
  public var speakerDataOn = false

  /// A timer with every field 0.
  public init() {}
}

extension PITState {
  init(_ raw: kvm_pit_state2) {
    channel0 = Channel(raw.channels.0)
    channel1 = Channel(raw.channels.1)
    channel2 = Channel(raw.channels.2)
    isReplacedByHPET = raw.flags & UInt32(KVM_PIT_FLAGS_HPET_LEGACY) != 0
    speakerDataOn = raw.flags & UInt32(KVM_PIT_FLAGS_SPEAKER_DATA_ON) != 0
  }
}

extension kvm_pit_state2 {
  init(_ state: PITState) {
    self.init()
    channels = (.init(state.channel0), .init(state.channel1), .init(state.channel2))
    if state.isReplacedByHPET { flags |= UInt32(KVM_PIT_FLAGS_HPET_LEGACY) }
    if state.speakerDataOn { flags |= UInt32(KVM_PIT_FLAGS_SPEAKER_DATA_ON) }
  }
}

extension PITState.Channel {
  fileprivate init(_ raw: kvm_pit_channel_state) {
    count = raw.count
    latchedCount = raw.latched_count
    countLatched = raw.count_latched
    statusLatched = raw.status_latched
    status = raw.status
    readState = raw.read_state
    writeState = raw.write_state
    writeLatch = raw.write_latch
    readWriteMode = raw.rw_mode
    mode = raw.mode
    bcd = raw.bcd
    gate = raw.gate
    countLoadTime = raw.count_load_time
  }
}

extension kvm_pit_channel_state {
  fileprivate init(_ channel: PITState.Channel) {
    self.init(
      count: channel.count, latched_count: channel.latchedCount, count_latched: channel.countLatched,
      status_latched: channel.statusLatched, status: channel.status, read_state: channel.readState,
      write_state: channel.writeState, write_latch: channel.writeLatch, rw_mode: channel.readWriteMode,
      mode: channel.mode, bcd: channel.bcd, gate: channel.gate, count_load_time: channel.countLoadTime)
  }
}

extension VirtualMachine {
  /// Puts the interval timer in the kernel (KVM_CREATE_PIT2).
  ///
  /// After the irqchip.
  ///
  /// - Parameter speakerDummy: whether KVM also answers port 0x61 (KVM_PIT_SPEAKER_DUMMY).
  /// - Throws: `KVMError`: ENOENT without a full in-kernel irqchip, EEXIST when there is a timer.
  public func createPIT(speakerDummy: Bool = true) throws(KVMError) {
    let flags = speakerDummy ? UInt32(KVM_PIT_SPEAKER_DUMMY) : 0
    try attempt(.createPIT2, ckvm_create_pit2(descriptor.rawValue, flags))
    chosen.withLock { $0.pit = MachineSettings.PITOptions(speakerDummy: speakerDummy) }
  }

  /// Reads the in-kernel timer (KVM_GET_PIT2).
  ///
  /// - Throws: `KVMError` with ENXIO without one.
  public func pit() throws(KVMError) -> PITState {
    var raw = kvm_pit_state2()
    // Sound: KVM fills the one structure it is given.
    try attempt(.getPIT2, unsafe ckvm_get_pit2(descriptor.rawValue, &raw))
    return PITState(raw)
  }

  /// Writes the in-kernel timer (KVM_SET_PIT2).
  ///
  /// - Throws: `KVMError` with ENXIO without one.
  public func setPIT(_ state: PITState) throws(KVMError) {
    var raw = kvm_pit_state2(state)
    // Sound: KVM reads the one structure it is given.
    try attempt(.setPIT2, unsafe ckvm_set_pit2(descriptor.rawValue, &raw))
  }

  /// Chooses what becomes of ticks that came while the guest had not yet taken the last (KVM_REINJECT_CONTROL).
  ///
  /// - Parameter reinject: deliver them late (KVM's default) or drop them.
  /// - Throws: `KVMError` with ENXIO without an in-kernel timer.
  public func setPITReinjection(_ reinject: Bool) throws(KVMError) {
    try attempt(.reinjectControl, ckvm_reinject_control(descriptor.rawValue, reinject ? 1 : 0))
    chosen.withLock { $0.pit?.reinjects = reinject }
  }
}
