/// Which system calls threads may make, as a list that says why of each; what is not on it is refused (seccomp(2)).
public struct SystemCallFilter: Sendable {
  /// Calls that are needed for one reason.
  public struct Group: Sendable {
    /// What they are for.
    public var purpose: String
    /// Their names by their numbers on x86-64 (asm/unistd_64.h), which never change.
    public var calls: KeyValuePairs<UInt32, String>
  }

  /// A call that is let through with some arguments.
  public struct Exception: Sendable {
    /// Bits of an argument, and what they are to be.
    public struct Pattern: Hashable, Sendable {
      /// The bits.
      public var mask: UInt32 = .max
      /// Their value.
      public var value: UInt32
    }

    /// Its number on x86-64.
    public var number: UInt32
    /// Its name.
    public var name: String
    /// What is let through, and why.
    public var purpose: String
    /// Which argument is looked at, from 0; the lower 32 bits of it.
    public var argument: UInt32
    /// What it may be: any of these.
    public var patterns: [Pattern]
  }

  /// What becomes of a call that is refused.
  public enum Refusal: Hashable, Sendable {
    /// It fails with that error.
    case error(Int32)
    /// The kernel sends the thread SIGSYS, which ends the process.
    case signal
  }

  /// What every thread may do.
  public var groups: [Group]
  /// What is let through in part.
  public var exceptions: [Exception]
  /// Calls that the kernel is to seem not to have, as their caller then does without: ENOSYS.
  public var absent: KeyValuePairs<UInt32, String> = [:]
  /// What becomes of all others.
  public var refusal: Refusal
}
