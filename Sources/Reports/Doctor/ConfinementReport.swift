public import Confinement
import Support
import SystemPackage

/// What a kernel lets a process give up before it runs a guest (docs/confinement.md).
public struct ConfinementReport: Codable, Hashable, Sendable {
  /// The version of Landlock's interface; absent where there is none.
  public var landlock: Int?
  /// Why there is none, and what to do about it; absent where there is one.
  public var landlockHint: String?
  /// Whether system calls can be filtered.
  public var seccomp: Bool

  /// The report of what a kernel offers.
  public init(_ support: ConfinementSupport) {
    landlock = support.landlock
    seccomp = support.hasFilters
    landlockHint =
      switch support.landlockError {
      case nil: nil
      case .noFunction: "this kernel was built without it (CONFIG_SECURITY_LANDLOCK)"
      case .notSupportedOnSocket: "it is off: add landlock to the kernel's parameter lsm="
      case .notPermitted: "a filter of system calls, such as a container's, refuses it"
      case let error?: "landlock_create_ruleset answers \(error)"
      }
  }

  /// The report for a person.
  func lines(_ style: Style) -> [TextLine] {
    func mark(_ isThere: Bool) -> TextLine { isThere ? style.green("yes") : style.yellow("no ") }
    return [
      "", style.bold("confinement of this program"),
      "  \(mark(landlock != nil))  files: Landlock          \(style.dim("\(landlock.map { "version \($0)" } ?? landlockHint ?? "")"))",
      "  \(mark(seccomp))  system calls: seccomp    \(style.dim(seccomp ? "filters" : "this kernel was built without filters (CONFIG_SECCOMP_FILTER)"))",
    ]
  }
}
