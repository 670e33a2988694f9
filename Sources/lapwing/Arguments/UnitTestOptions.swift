import ArgumentParser
import Glibc
import KVM
import Support
import SystemPackage
import UnitTests
import VMM

/// Which unit tests are run, and how, from the command line.
struct UnitTestOptions: ParsableArguments {
  @Option(help: "The suite's configuration, unittests.cfg.")
  var config: String?

  @Option(help: "Where the images are, if not beside the configuration.")
  var images: String?

  @Option(help: "Only tests of this group; again for another.")
  var group: [String] = []

  @Option(help: "How long each test may take, such as 90s, in place of what the configuration says.")
  var timeout: TimeLimit?

  @Flag(help: "Run tests too that the configuration keeps for those who ask for them.")
  var all = false

  @Option(help: "A file with the environment for the images: lines NAME=value.")
  var environment: String?

  @Option(name: [.long, .customShort("c")], help: "How many vCPUs, for images without a configuration.")
  var vcpus = 1

  @Option(help: "The processor, for images without a configuration, such as qemu64,+x2apic.")
  var cpu: CPUModel?

  @Option(help: "Arguments, for images without a configuration.")
  var append = ""

  /// A configuration larger than this, in bytes, is none.
  private static let sizeLimit = 4 << 20

  /// What KVM can be built for on x86 (CONFIG_KVM_MAX_NR_VCPUS); what a host can run it says itself.
  private static let vcpusRange = 1...4096

  func validate() throws {
    guard config != nil || (images == nil && group.isEmpty && !all) else {
      throw ValidationError("--images, --group and --all are for --config")
    }
    guard Self.vcpusRange.contains(vcpus) else {
      throw ValidationError("--vcpus takes a number from 1 to \(Self.vcpusRange.upperBound)")
    }
  }

  /// The tests that are to be run, decided on.
  ///
  /// - Parameters:
  ///   - names: images, or tests of the configuration.
  ///   - output: the report's file, which is to be no image of the configuration's, of a test that is not run either.
  func plans(_ names: [String], output: String?) throws(Failure) -> [UnitTestPlan] {
    let path = FilePath(config ?? "")
    var context = UnitTestPlan.Context(directory: images.map { FilePath($0) } ?? path.removingLastComponent())
    context.limit = timeout?.duration
    context.time = time(nil)
    context.environment =
      if let environment {
        try Self.contents(of: FilePath(environment), limit: UnitTestPlatform.environmentLimit)
      } else {
        UnitTestEnvironment.describing(kernel: HostSurvey.take().kernelRelease)
      }
    guard config != nil else { return try filePlans(names, context) }
    let selection = UnitTestSelection(names: names, groups: group)
    context.runsAll = all || selection.isParticular
    let file = try configuration(path)
    try refuseOneFile(
      for: file.tests.map { ("the image", context.image(of: $0).string) }, and: ("--output", output))
    do throws(UnitTestSelection.Unknown) {
      return try selection.select(from: file.tests).map { UnitTestPlan($0, context) }
    } catch {
      throw Failure("\(error); 'lapwing kut --config \(path) --list' shows what there is", .usage)
    }
  }

  private func configuration(_ path: FilePath) throws(Failure) -> UnitTestFile {
    let file: UnitTestFile
    let text = String(decoding: try Self.contents(of: path, limit: Self.sizeLimit), as: UTF8.self)
    do throws(UnitTestFile.ParsingError) {
      file = try UnitTestFile(text)
    } catch {
      throw Failure("\(path), \(error)", .badFile)
    }
    guard !file.tests.isEmpty else { throw Failure("\(path) has no tests", .badFile) }
    return file
  }

  /// A test for each image.
  private func filePlans(_ names: [String], _ context: UnitTestPlan.Context) throws(Failure) -> [UnitTestPlan] {
    guard !names.isEmpty else { throw Failure("there is nothing to run: name images, or a --config", .usage) }
    return names.map { name in
      var test = UnitTest(name: FilePath(name).stem ?? name)
      test.file = name
      var configuration = MachineConfiguration()
      var platform = UnitTestPlatform()
      platform.environment = context.environment
      configuration.become(platform, cpu: cpu ?? .unitTestDefault)
      configuration.vcpus = vcpus
      configuration.arguments = append
      return UnitTestPlan(
        test, image: FilePath(name), configuration, limit: context.limit ?? UnitTestPlan.defaultLimit)
    }
  }

  private static func contents(of path: FilePath, limit: Int) throws(Failure) -> [UInt8] {
    try readInput(path.string, limit: limit)
  }
}
