import APIC
import SystemPackage
import TestImages
import UnitTests

@testable import VMM

/// What a user names on the command line: images, processors, and the configuration of kvm-unit-tests.
extension FuzzTarget {
  /// An image in each format, as flat code too, laid out for a small machine; and its symbols.
  static let image = FuzzTarget("image", seeds: imageSeeds) { bytes in
    let image = GuestImage(name: "fuzzed", bytes: bytes)
    _ = SymbolTable(image.contents)?[0x10_0010]
    _ = try? image.plan(loadAddress: 0x7c00).validate(memory: imageMemory)
    guard let plan = try? image.plan(), (try? plan.validate(memory: imageMemory)) != nil else { return }
    // What was found to fit must fit.
    for segment in plan.segments {
      precondition(segment.address <= imageMemory && segment.size <= imageMemory - segment.address)
      precondition(segment.file.upperBound <= bytes.count && segment.file.count <= segment.size)
    }
    guard plan.entry.isKernel, let memory = try? GuestMemory(size: imageMemory) else { return }
    var configuration = MachineConfiguration()
    configuration.profile = .linux
    configuration.memory = imageMemory
    try? LinuxBoot(plan, image, configuration, memory: memory).write(to: memory)
  }

  private static let imageMemory: UInt64 = 16 << 20

  private static let imageSeeds: [[UInt8]] = [
    ELFImage(code: [0xf4]).bytes, MultibootImage(code: [0xf4]).bytes, KernelImage(code: [0xf4]).bytes,
    MultibootImage.interruptingItself.bytes,
  ]

  /// A processor as `--cpu` takes it.
  static let processorModel = FuzzTarget(
    "processor-model",
    seeds: ["qemu64,+x2apic,-tsc-deadline", "host,hv_passthrough", "max,level=7"].map { Array($0.utf8) }
  ) { _ = try? CPUModel(String(decoding: $0, as: UTF8.self)) }

  /// unittests.cfg, and what its tests ask for.
  static let unitTests = FuzzTarget("unittests-cfg", seeds: [Array(unitTestsSeed.utf8)]) { bytes in
    guard let file = try? UnitTestFile(String(decoding: bytes, as: UTF8.self)) else { return }
    let context = UnitTestPlan.Context(directory: "/nowhere")
    for test in file.tests.prefix(64) { _ = UnitTestPlan(test, context) }
  }

  private static let unitTestsSeed = """
    # two tests
    [apic-split]
    file = apic.flat
    smp = 2
    extra_params = -cpu qemu64,+x2apic,+tsc-deadline -machine kernel_irqchip=split -append 'a "b c" d\\ e'
    arch = x86_64
    groups = apic
    timeout = 30
    [long]
    file = long.flat
    extra_params = \"\"\"-m 2048
    -append "x $(date +%s)"\"\"\"
    accel = kvm
    check = /sys/module/kvm_intel/parameters/ept=Y
    """
}
