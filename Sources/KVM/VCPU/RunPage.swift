import CKVM

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
