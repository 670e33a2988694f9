import ArgumentParser
import Confinement
import Support
import SystemPackage

/// Whether the process gives up what it does not need, from the command line.
struct ConfinementOptions: ParsableArguments {
  static let help: ArgumentHelp = """
    Keep all rights of this process while guests run and files are read, for a host on which one of them is missed. \
    docs/confinement.md says what is given up otherwise.
    """

  @Flag(help: Self.help)
  var noConfine = false

  /// Gives up all but what a command needs: before it reads what somebody else wrote, and while there is no other thread.
  ///
  /// - Parameter describe: Says what it needs.
  func enter(_ describe: (inout CommandNeeds) throws(Failure) -> Void) throws(Failure) {
    try Self.enter(unless: noConfine, describe)
  }

  /// The same for a command with the flag among its own: a group costs the start of the program half a millisecond.
  static func enter(
    unless isUnconfined: Bool, _ describe: (inout CommandNeeds) throws(Failure) -> Void
  ) throws(Failure) {
    guard !isUnconfined else {
      StandardError.print(
        "lapwing: --no-confine: guests, files and clients are NOT confined; whatever takes this process over has all of its rights"
      )
      return
    }
    var needs = CommandNeeds()
    try describe(&needs)
    do throws(Errno) { try needs.confinement.enter() } catch {
      throw Failure(
        "the process cannot be confined: \(error); raise the limits on descriptors and memory (ulimit -n, -v)",
        .hostCannot)
    }
  }
}
