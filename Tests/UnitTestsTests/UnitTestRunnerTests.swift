import Foundation
import KVM
import SystemPackage
import TestImages
import Testing
import UnitTests
import VMM

/// Small Multiboot guests that talk as the suite's images do.
@Suite(.needsKVM) final class UnitTestRunnerTests {
  /// The images, removed with this object.
  private let folder = FileManager.default.temporaryDirectory.appending(path: "lapwing-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func plan(_ name: String, _ code: Code, limit: Duration = .seconds(20)) throws -> UnitTestPlan {
    let file = folder.appending(path: "\(name).flat")
    try Data(MultibootImage(code: code.bytes).bytes).write(to: file)
    var configuration = MachineConfiguration()
    configuration.become(UnitTestPlatform(), cpu: .unitTestDefault)
    return UnitTestPlan(UnitTest(name: name), image: FilePath(file.path), configuration, limit: limit)
  }

  private func run(_ plans: [UnitTestPlan], jobs: Int = 1) throws -> [UnitTestResult?] {
    var runner = UnitTestRunner(system: try KVM.open())
    runner.jobs = jobs
    return try runner.run(plans)
  }

  private func code(_ text: String = "", end value: UInt8) -> Code { Code(.protected).print(text).debugExit(value) }

  @Test func `a test's verdict is its exit's, as the suite's scripts read it`() throws {
    let results = try run(
      [
        plan("pass", code("PASS: one\n", end: 0)), plan("fail", code("PASS: one\nFAIL: two\nFAIL: three\n", end: 1)),
        plan("skip", code("SKIP: no such thing\n", end: 38)), plan("abort", code(end: 63)), plan("odd", code(end: 5)),
        plan("crash", Code(.protected).then([0x0f, 0x0b])), plan("hang", Code(.protected).halt(), limit: .seconds(1)),
      ], jobs: 2)
    #expect(
      results.map { $0?.verdict } == [
        .passed, .failed("two, and 1 more of 3 checks"), .skipped("no such thing"), .failed("it was aborted"),
        .failed("it ended with the status 11, which means nothing"), .failed("vCPU 0 shut down: a triple fault"),
        .failed("it did not end within 1.0 s"),
      ])
    #expect(results[1]?.checks.count == 3)
    #expect(results[1]?.scene?.vcpus.count == 1)
    #expect(results[0]?.scene == nil)
    #expect(results[0]?.output == "PASS: one\n")
  }

  @Test func `an image that is not there is skipped, one that cannot be booted fails`() throws {
    let configuration = MachineConfiguration()
    let missing = UnitTestPlan(
      UnitTest(name: "missing"), image: "/nowhere/x.flat", configuration, limit: .seconds(1))
    let wrong = UnitTestPlan(UnitTest(name: "wrong"), image: "/proc/version", configuration, limit: .seconds(1))
    let results = try run([missing, wrong])
    #expect(results[0]?.verdict == .skipped("there is no image /nowhere/x.flat"))
    guard case .failed(let reason) = results[1]?.verdict else {
      Issue.record("it did not fail")
      return
    }
    #expect(reason.hasPrefix("the image '/proc/version' cannot be run: the image is neither"))
  }

  @Test func `an interruption ends what runs and begins nothing more`() throws {
    let plans = try [
      plan("first", code(end: 0)), plan("endless", Code(.protected).halt(), limit: .seconds(600)),
      plan("never", code(end: 0)),
    ]
    var ended = 0
    var isRunning = false
    let results = try UnitTestRunner(system: try KVM.open()).run(
      plans, isInterrupted: { ended == 1 && isRunning },
      watch: {
        ended += $0.count
        isRunning = $1 == ["endless"]
      })
    #expect(results.map { $0?.verdict } == [.passed, nil, nil])
  }
}
