import CConfinement
public import SystemPackage

/// What a process still does once it has given up everything else: before it reads what it does not trust, and runs it.
///
/// What a kernel does not offer is left out (`ConfinementSupport`); the rest is done all the same.
public struct Confinement: Sendable {
  /// What the kernel tells of itself, its modules and this process, and KVM: every command may use them.
  public static let everywhere = [
    PathGrant("/proc", .input), PathGrant("/sys", .input), PathGrant("/dev/kvm", .device),
  ]

  /// Paths at which something is still done, besides `everywhere`; nil for all there are.
  public var paths: [PathGrant]? = []
  /// The TCP port that is going to be listened at; nil for none.
  public var port: UInt16?
  /// Whether a socket is going to be made that is a file.
  public var listensAtFiles = false
  /// The capabilities that are kept, if the process has them.
  public var capabilities: Capabilities = [.overrideFilePermissions]
  /// How the process ends where a thread of a vCPU makes a system call that is refused.
  public var exitStatus: Int32

  /// A process that reads and writes what it has open.
  ///
  /// - Parameter exitStatus: how it ends where a thread of a vCPU makes a system call that is refused, 1 to 255.
  public init(exitStatus: Int32) { self.exitStatus = exitStatus }

  /// Gives up everything else, for good, on the calling thread and those that it starts: there is to be no other yet.
  ///
  /// - Throws: `EMFILE`, `ENFILE` or `ENOMEM` where there was no room to say what may be used: it is not to go on then.
  public func enter() throws(Errno) {
    // Without it neither of the others may be asked for; every kernel since 3.5 has it.
    guard cconfinement_no_new_privileges() == 0 else { return }
    // First what takes the rights away that the last does not need.
    if let paths { try restrictFiles(to: paths) }
    try? Capabilities.keep(capabilities)
    guard (try? FilterProgram(.process(sockets: sockets)).apply()) != nil else { return }
    cconfinement_tell_of_refusals(exitStatus)
    VCPUThreadFilter.expect(FilterProgram(.vcpu))
  }

  private var sockets: SystemCallFilter.Sockets {
    SystemCallFilter.Sockets((port == nil ? [] : [.loopback]) + (listensAtFiles ? [.local] : []))
  }

  private func restrictFiles(to paths: [PathGrant]) throws(Errno) {
    do throws(Errno) {
      let ruleset = try LandlockRuleset()
      for grant in Self.everywhere + paths { try ruleset.allow(grant) }
      if let port { ruleset.allow(listeningAt: port) }
      try ruleset.restrict()
    } catch let error where error.isShortage {
      throw error
    } catch {
      // This kernel offers nothing of the kind.
    }
  }
}

/// What of it the running kernel offers.
public struct ConfinementSupport: Hashable, Sendable {
  /// The version of Landlock's interface; nil where there is none.
  public var landlock: Int?
  /// Why there is none: `ENOSYS` without it in the kernel, `EOPNOTSUPP` where it is off, `EPERM` where a container says so.
  public var landlockError: Errno?
  /// Whether system calls can be filtered.
  public var hasFilters: Bool

  /// What a kernel offers.
  public init(landlock: Int? = nil, landlockError: Errno? = nil, hasFilters: Bool) {
    self.landlock = landlock
    self.landlockError = landlockError
    self.hasFilters = hasFilters
  }

  /// What this kernel offers.
  public static func ofThisKernel() -> ConfinementSupport {
    do throws(Errno) {
      return ConfinementSupport(landlock: try LandlockRuleset.version(), hasFilters: cconfinement_has_filters())
    } catch {
      return ConfinementSupport(landlockError: error, hasFilters: cconfinement_has_filters())
    }
  }
}
