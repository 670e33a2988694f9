import CKVM
import Synchronization
import SystemPackage

/// A virtual processor.
///
/// `VirtualMachine.createVCPU` gives one. One thread runs it; any thread may read or write its state, for which KVM makes
/// it wait while the vCPU is inside `run()`, and any thread or signal handler may request that it leave.
public final class VCPU: Sendable {
  /// Its number, which is its APIC ID.
  public let id: UInt32

  /// The machine it belongs to, which it keeps alive.
  public let vm: VirtualMachine

  let descriptor: OwnedDescriptor
  let runPage: Mutex<RunPage>
  let exitRequest: ExitRequest
  let chosen = Mutex(VCPUSettings())

  init(_ descriptor: consuming OwnedDescriptor, id: UInt32, of vm: VirtualMachine) throws(KVMError) {
    self.id = id
    self.vm = vm
    let page = try RunPage(descriptor, size: vm.system.runPageSize)
    exitRequest = page.exitRequest
    runPage = Mutex(page)
    self.descriptor = descriptor
  }

  /// What the vCPU was told so far and KVM does not tell back.
  public var settings: VCPUSettings { chosen.withLock { $0 } }

  /// Enables a capability for this vCPU (KVM_ENABLE_CAP on a vCPU).
  ///
  /// - Parameters:
  ///   - capability: one that can be enabled per vCPU, such as `.hypervSynIC`.
  ///   - argument: as the capability defines it.
  /// - Throws: `KVMError` with EINVAL when KVM lacks it or dislikes the argument.
  public func enable(_ capability: Capability, _ argument: UInt64 = 0) throws(KVMError) {
    let answer = ckvm_enable_cap(descriptor.rawValue, capability.rawValue, argument, 0, 0, 0)
    try attempt(.enableCap, answer, detail: capability.name)
    chosen.withLock {
      $0.capabilities.append(MachineSettings.EnabledCapability(capability, [argument, 0, 0, 0]))
    }
  }
}

/// What a vCPU was told that KVM never tells back.
public struct VCPUSettings: Hashable, Sendable {
  /// Where the guest's paravirtual TPR is, guest-physical; 0 for none (KVM_SET_VAPIC_ADDR).
  public var vapicAddress: UInt64 = 0
  /// Whether TPR accesses leave to user space (KVM_TPR_ACCESS_REPORTING).
  public var reportsTPRAccesses = false
  /// The capabilities that were enabled on the vCPU, in that order (KVM_ENABLE_CAP).
  public var capabilities: [MachineSettings.EnabledCapability] = []

  /// A vCPU that was told nothing.
  public init() {}
}

/// `struct kvm_run`, which a vCPU shares with the kernel (KVM API, section 5).
///
/// The kernel writes it only inside KVM_RUN. Whoever holds this value outside KVM_RUN is alone with the page, except for
/// `immediate_exit`, which `ExitRequest` writes at any time.
@safe struct RunPage: ~Copyable, @unchecked Sendable {
  // Sendable is sound: the page is the process's, whichever thread holds this value, and one holds it at a time.

  /// The part that any thread may write.
  let exitRequest: ExitRequest

  /// The structure, at the start of `mapping`, which is at least as long (`System.init` checks that).
  let run: UnsafeMutablePointer<kvm_run>

  /// Whether the last KVM_RUN returned without running a vCPU that does not wait for INIT.
  var hasWaitedForSIPI = false

  private let mapping: Mapping

  init(_ descriptor: borrowing OwnedDescriptor, size: Int) throws(KVMError) {
    mapping = try Mapping(descriptor, size: size)
    unsafe run = mapping.base.assumingMemoryBound(to: kvm_run.self)
    exitRequest = unsafe ExitRequest(run)
  }

  /// Hands out the data of a port access, when it lies inside the page as KVM says.
  func withPortData<Answer: ~Copyable, Failure: Error>(
    _ io: ckvm_io_exit, _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer? {
    let (count, overflow) = Int(io.count).multipliedReportingOverflow(by: Int(io.size))
    guard !overflow, let offset = Int(exactly: io.data_offset),
      let address = unsafe try? mapping.address(offset, count)
    else { return nil }
    // Sound: the range was checked to be inside the mapping, and the span cannot outlive this call.
    let start = unsafe address.assumingMemoryBound(to: UInt8.self)
    var span = unsafe MutableSpan(_unsafeStart: start, count: count)
    return try body(&span)
  }
}

/// The byte that makes KVM_RUN return at once (KVM_CAP_IMMEDIATE_EXIT).
@safe struct ExitRequest: @unchecked Sendable {
  // Sendable is sound: the shim's accesses are atomic, and a vCPU keeps the page mapped while it keeps this.
  private let run: UnsafeMutablePointer<kvm_run>

  init(_ run: UnsafeMutablePointer<kvm_run>) {
    unsafe self.run = run
  }

  /// Whether KVM_RUN is asked to return.
  var isSet: Bool { unsafe ckvm_run_immediate_exit(run) != 0 }

  /// Asks for it, or no longer.
  func set(_ value: Bool) { unsafe ckvm_run_set_immediate_exit(run, value ? 1 : 0) }
}

extension VCPU {
  /// The frequency of the guest's TSC, in kilohertz (KVM_GET_TSC_KHZ).
  ///
  /// - Throws: `KVMError` with EIO when the host's TSC is unstable.
  public func tscFrequency() throws(KVMError) -> UInt32 {
    UInt32(try attempt(.getTSCKHz, ckvm_get_tsc_khz(descriptor.rawValue)))
  }

  /// Sets it (KVM_SET_TSC_KHZ).
  ///
  /// - Parameter kHz: in kilohertz; 0 for the host's.
  /// - Throws: `KVMError` with EINVAL when the host cannot scale to it.
  public func setTSCFrequency(kHz: UInt32) throws(KVMError) {
    try attempt(.setTSCKHz, ckvm_set_tsc_khz(descriptor.rawValue, UInt(kHz)), detail: "\(kHz) kHz")
  }

  /// What the guest's TSC is ahead of the host's, modulo 2^64, after scaling (KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET).
  ///
  /// - Throws: `KVMError` with ENXIO on kernels before 5.16.
  public func tscOffset() throws(KVMError) -> UInt64 {
    var offset: UInt64 = 0
    // Sound: KVM writes the one integer it is given.
    try attempt(.getDeviceAttr, unsafe ckvm_get_tsc_offset(descriptor.rawValue, &offset))
    return offset
  }

  /// Sets it; vCPUs with one offset have one TSC (KVM_SET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET).
  ///
  /// - Throws: `KVMError` with ENXIO on kernels before 5.16.
  public func setTSCOffset(_ offset: UInt64) throws(KVMError) {
    try attempt(.setDeviceAttr, ckvm_set_tsc_offset(descriptor.rawValue, offset))
  }

  /// Tells the guest, through kvmclock, that it was paused, so that its watchdogs stay calm (KVM_KVMCLOCK_CTRL).
  ///
  /// - Throws: `KVMError` with EINVAL when the guest has no kvmclock on.
  public func notifyPaused() throws(KVMError) {
    try attempt(.kvmclockCtrl, ckvm_kvmclock_ctrl(descriptor.rawValue))
  }

  /// Sets which signals the running thread blocks inside `run()` (KVM_SET_SIGNAL_MASK).
  ///
  /// `requestExit()` does without.
  ///
  /// - Parameter signals: signal n in bit n - 1; nil for the thread's own mask.
  /// - Throws: `KVMError`; in practice never.
  public func setSignalMask(_ signals: UInt64?) throws(KVMError) {
    let answer = signals.map { ckvm_set_signal_mask(descriptor.rawValue, $0) }
    try attempt(.setSignalMask, answer ?? ckvm_clear_signal_mask(descriptor.rawValue))
  }
}

/// The TSC of the processor that this runs on (RDTSC).
public func hostTSC() -> UInt64 { ckvm_read_tsc() }
