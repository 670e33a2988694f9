/// A test as kvm-unit-tests' configuration describes it: an image, and what it wants to be run with. The texts are the
/// file's own.
public struct UnitTest: Hashable, Sendable {
  /// Its name, which is no path.
  public var name: String
  /// The image's file, beside the configuration.
  public var file = ""
  /// How many vCPUs; 1 where it does not say.
  public var smp = ""
  /// What the image finds as its arguments, in the shell's quotes.
  public var arguments = ""
  /// Further options of QEMU's, in the shell's quotes.
  public var options = ""
  /// The groups that it is in.
  public var groups: [String] = []
  /// The architecture that it is for; empty for any.
  public var architecture = ""
  /// The machine that it is for; empty for any.
  public var machine = ""
  /// The accelerator that it is for; empty for any.
  public var accelerator = ""
  /// What has to be in files of the host's: `PATH=VALUE`, with blanks between.
  public var check = ""
  /// How long it may take, as timeout(1) reads it; 90 seconds where it does not say.
  public var timeout = ""
  /// A shell's condition under which it is not to be run.
  public var disabledIf = ""
  /// Options of the file's that are not known here.
  public var unknown: [String] = []
  /// The line of the file that names it; 0 for a test that is in none.
  public var line = 0

  /// A test of that name.
  public init(name: String) { self.name = name }
}
