import CKVM

/// Whether a vCPU runs, halts or waits to be started (KVM API, KVM_GET_MP_STATE).
public enum MPState: UInt32, Hashable, Sendable, CaseIterable {
  /// It executes instructions.
  case runnable = 0
  /// It waits for INIT: an application processor that has just been created.
  case uninitialized = 1
  /// It got INIT and waits for SIPI.
  case initReceived = 2
  /// It executed HLT and waits for an interrupt.
  case halted = 3
  /// It has just got SIPI.
  case sipiReceived = 4
  /// It waits for SIPI after an SEV-ES reset.
  case apResetHold = 9
}
