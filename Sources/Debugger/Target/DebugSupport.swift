public import KVM
public import VMM

/// What of debugging this host's KVM does. It is tried out on a machine of its own: KVM_SET_GUEST_DEBUG accepts what a back
/// end then does not do, such as data breakpoints where it emulates the guest.
public struct DebugSupport: Hashable, Sendable {
  /// What becomes of an INT3 of the debugger's.
  public enum INT3: Hashable, Sendable {
    /// KVM_EXIT_DEBUG.
    case stops
    /// KVM_EXIT_INTERNAL_ERROR, as KVM's emulator does not know it; the vCPU stands before it.
    case cannotBeEmulated
    /// The guest gets it.
    case goesToGuest
  }

  /// The vendor module.
  public var backEnd: String
  /// The flags that KVM knows (KVM_CAP_SET_GUEST_DEBUG2).
  public var options: GuestDebugOptions
  /// An INT3 in protected mode.
  public var int3: INT3
  /// An INT3 in real mode.
  public var realModeINT3: INT3
  /// Whether the guest stops at breakpoints for execution in debug registers.
  public var stopsAtCode: Bool
  /// Whether it stops at data breakpoints.
  public var stopsAtData: Bool

  /// What a host is said to do.
  public init(
    backEnd: String, options: GuestDebugOptions, int3: INT3, realModeINT3: INT3, stopsAtCode: Bool, stopsAtData: Bool
  ) {
    self.backEnd = backEnd
    self.options = options
    self.int3 = int3
    self.realModeINT3 = realModeINT3
    self.stopsAtCode = stopsAtCode
    self.stopsAtData = stopsAtData
  }

  /// Tries it out.
  ///
  /// - Parameter system: the host's KVM.
  /// - Throws: `MachineError.missingCapability` without KVM_CAP_SET_GUEST_DEBUG, and what a machine cannot be made for.
  public init(of system: System) throws(MachineError) {
    let isThere: Bool
    let bits: Int
    do throws(KVMError) {
      isThere = try system.check(.setGuestDebug) > 0
      bits = try system.check(.setGuestDebug2)
    } catch {
      throw .kvm(error)
    }
    guard isThere else { throw .missingCapability(.setGuestDebug, purpose: "a debugger") }
    backEnd = BackEnd.loaded()?.moduleName ?? "this back end"
    // Kernels before 5.16 do not say; they know these.
    options =
      bits > 0
      ? GuestDebugOptions(rawValue: UInt32(truncatingIfNeeded: bits))
      : [.enable, .singleStep, .softwareBreakpoints, .hardwareBreakpoints, .injectDB, .injectBP]
    let finding = try DebugProbe.longMode.run(on: system)
    (stopsAtCode, stopsAtData, int3) = (finding.stopsAtCode, finding.stopsAtData, finding.int3)
    realModeINT3 = try DebugProbe.realMode.run(on: system).int3
  }

  /// Whether a step can keep interrupts out.
  public var blocksInterrupts: Bool { options.contains(.blockIRQ) }

  /// Why there is no software breakpoint in a mode; nil where there is.
  ///
  /// - Parameter isRealMode: whether the vCPU is in real mode.
  public func obstacle(toINT3InRealMode isRealMode: Bool) -> String? {
    guard (isRealMode ? realModeINT3 : int3) == .goesToGuest else { return nil }
    let advice = stopsAtCode ? "use hbreak" : "single steps are what there is"
    return "\(backEnd) gives INT3 in \(isRealMode ? "real" : "protected") mode to the guest; \(advice)"
  }

  /// Why there is no hardware breakpoint; nil where there is.
  public var obstacleToHardwareBreakpoints: String? {
    guard !stopsAtCode else { return nil }
    let advice = int3 == .goesToGuest ? "single steps are what there is" : "use break"
    return "\(backEnd) does not stop at breakpoints in debug registers; \(advice)"
  }

  /// Why there is no watchpoint; nil where there is.
  public var obstacleToWatchpoints: String? {
    stopsAtData
      ? nil : "\(backEnd) does not stop at data breakpoints; 'set can-use-hw-watchpoints 0' has gdb step instead"
  }

  /// All of it, for a person.
  public var text: String {
    func words(_ isThere: Bool) -> String { isThere ? "yes" : "no" }
    return """
      back end                       \(backEnd), KVM_CAP_SET_GUEST_DEBUG2 0x\(String(options.rawValue, radix: 16))
      single steps                   \(words(options.contains(.singleStep)))
      ... with interrupts kept out   \(words(blocksInterrupts))
      breakpoints in real mode       \(words(realModeINT3 != .goesToGuest))
      breakpoints in other modes     \(words(int3 != .goesToGuest))
      hardware breakpoints           \(words(stopsAtCode))
      watchpoints                    \(words(stopsAtData))

      """
  }
}
