import SystemPackage
import Testing
import VMM

@testable import UnitTests

@Suite struct UnitTestPlanTests {
  private func plan(_ options: String, _ change: (inout UnitTestPlan.Context) -> Void = { _ in }) throws -> UnitTestPlan
  {
    var context = UnitTestPlan.Context(directory: "/images")
    change(&context)
    return UnitTestPlan(try UnitTestFile("[t]\nfile = t.flat\n" + options).tests[0], context)
  }

  private func machine(_ options: String) throws -> MachineConfiguration {
    guard case .run(_, let configuration, _) = try plan(options).decision else {
      throw UnitTestSelection.Unknown(description: "skipped")
    }
    return configuration
  }

  @Test func `a test that asks for nothing gets what QEMU would give it`() throws {
    guard case .run(let image, let machine, let limit) = try plan("").decision else {
      Issue.record("it is skipped")
      return
    }
    #expect(image == "/images/t.flat")
    #expect(limit == .seconds(90))
    #expect((machine.vcpus, machine.memory) == (1, 128 << 20))
    #expect(machine.cpu?.name == "qemu64")
    #expect(machine.profile == .unitTest(UnitTestPlatform()))
  }

  @Test func `options of the configuration and of QEMU make the machine`() throws {
    let options = """
      smp = 4
      test_args = "one two"
      timeout = 2m
      qemu_params = -enable-kvm -cpu max,-pku -m 2560 -machine pit=off,kernel_irqchip=split
      """
    let machine = try machine(options)
    #expect((machine.vcpus, machine.memory, machine.arguments) == (4, 2560 << 20, "one two"))
    #expect(machine.cpu?.name == "max")
    #expect(machine.irqChip == .split)
    var platform = UnitTestPlatform()
    platform.hasPIT = false
    #expect(machine.profile == .unitTest(platform))
    guard case .run(_, _, let limit) = try plan(options).decision else { return }
    #expect(limit == .seconds(120))
    guard case .run(_, _, let own) = try plan(options, { $0.limit = .seconds(5) }).decision else { return }
    #expect(own == .seconds(5))
  }

  @Test(arguments: [
    ("arch = i386", "it is for i386"), ("accel = tcg", "it is for tcg, not for kvm"),
    ("machine = q35", "it is for the machine 'q35'"), ("warp = 9", "its option 'warp' is not known"),
    ("groups = migration", "tests of the group 'migration' are driven from outside, which this machine has no way for"),
    ("groups = nodefault", "it is run only when asked for: by its name, its group, or --all"),
    ("disabled_if = true", "whether it is disabled only a shell can tell: disabled_if"),
    ("check = /proc/version=never", "/proc/version is not never"), ("check = /nowhere=Y", "/nowhere is not Y"),
    ("smp = $MAX_SMP", "'$MAX_SMP' is no number of vCPUs"), ("smp = -1", "'-1' is no number of vCPUs"),
    ("timeout = soon", "'soon' is no time limit"),
    ("qemu_params = -device hyperv-testdev2", "this machine has no '-device hyperv-testdev2'"),
    ("qemu_params = -device edu", "this machine has no '-device edu'"),
    ("qemu_params = -M q35,kernel-irqchip=split", "this machine has no '-machine q35'"),
    ("qemu_params = -cpu host,hv_warp", "there is no CPU feature 'hv_warp'"),
    ("qemu_params = -m lots", "'lots' is no size of memory"), ("qemu_params = -cpu", "the option '-cpu' has no value"),
    ("test_args = `reboot`", "only a shell knows what '`reboot`' is in its options"),
    ("file =", "it names no file"),
  ])
  func `what this machine cannot honour is a skip with the reason`(options: String, reason: String) throws {
    guard case .skip(let given) = try plan(options).decision else {
      Issue.record("it is run")
      return
    }
    #expect(given == reason)
  }

  @Test func `a condition on a file of the host's that holds lets a test run`() throws {
    #expect(throws: Never.self) { try machine("check = /proc/sys/kernel/ostype=Linux") }
  }

  @Test func `--all runs what is kept for those who ask`() throws {
    guard case .run = try plan("groups = nodefault", { $0.runsAll = true }).decision else {
      Issue.record("it is skipped")
      return
    }
  }

  @Test func `the environment describes the kernel as the suite's scripts do`() {
    let text = String(decoding: UnitTestEnvironment.describing(kernel: "6.18.44-fc"), as: UTF8.self)
    #expect(
      text == """
        TARGET=lapwing
        KERNEL_VERSION_STRING=6.18.44-fc
        KERNEL_VERSION=6
        KERNEL_PATCHLEVEL=18
        KERNEL_SUBLEVEL=44
        KERNEL_EXTRAVERSION=fc

        """)
  }

  @Test func `lines about checks are told from others`() {
    let checks = UnitTestCheck.all(
      in: "enabling apic\r\nPASS: a: b\r\nFAIL: c\nXFAIL: d\nXPASS: e\nSKIP: f\nPASSED: g\n")
    #expect(checks.map(\.text) == ["a: b", "c", "d", "e", "f"])
    #expect(checks.map(\.verdict) == [.passed, .failed, .passed, .failed, .skipped])
  }
}
