/// An image of kvm-unit-tests' with what it is run with: those about interrupts that are about time, and small ones.
struct UnitTestImage {
  let name: String
  let file: String
  var vcpus = 1
  var cpu = "qemu64"
  var arguments = ""
  /// What shows that it ran.
  let expectedOutput: String

  private init(_ file: String, vcpus: Int = 1, expects output: String) {
    name = vcpus > 1 ? "\(file), \(vcpus) vCPUs" : file
    self.file = "\(file).flat"
    self.vcpus = vcpus
    expectedOutput = output
  }

  /// A case of `vmexit`, with the name that it prints beside its figure.
  private init(exit name: String, vcpus: Int = 1, cpu: String = "qemu64") {
    self.name = "vmexit \(name)"
    file = "vmexit.flat"
    self.vcpus = vcpus
    self.cpu = cpu
    arguments = name
    expectedOutput = name
  }

  private static let deadline = "qemu64,+x2apic,+tsc-deadline"

  /// The interrupt group, without what is known to hang on software back ends: a hypercall from ring 0.
  static let interrupts = [
    UnitTestImage("smptest", vcpus: 2, expects: "IPI to each CPU"),
    UnitTestImage("smptest", vcpus: 3, expects: "IPI to each CPU"),
    UnitTestImage("idt_test", expects: "SUMMARY: "),
    UnitTestImage(exit: "inl_from_pmtimer"),
    UnitTestImage(exit: "mov_to_cr8"),
    UnitTestImage(exit: "ipi", vcpus: 2),
    UnitTestImage(exit: "ipi_halt", vcpus: 2),
    UnitTestImage(exit: "ple_round_robin"),
    UnitTestImage(exit: "tscdeadline", cpu: deadline),
    UnitTestImage(exit: "tscdeadline_immed", cpu: deadline),
    UnitTestImage(exit: "pci-mem"),
    UnitTestImage(exit: "pci-io"),
  ]

  /// The suite's smallest.
  static let smallest = UnitTestImage("dummy", expects: "Dummy Hello World!")
}

extension Contest {
  /// Lapwing against QEMU with the suite's own command line, an image a contest; QEMU is what is compared with.
  ///
  /// - Parameters:
  ///   - folder: where the images are.
  ///   - lapwing: where Lapwing is.
  ///   - qemu: where QEMU is.
  static func unitTests(in folder: String, lapwing: String, qemu: String) -> [Contest] {
    let smallest = UnitTestImage.smallest
    return [
      Contest(
        name: "smallest image",
        contenders: [.microvm(qemu, smallest, in: folder), .lapwing(lapwing, smallest, in: folder)])
    ]
      + UnitTestImage.interrupts.map { image in
        Contest(
          name: image.name, contenders: [.qemu(qemu, image, in: folder), .lapwing(lapwing, image, in: folder)])
      }
  }
}

extension Contender {
  fileprivate static func lapwing(_ program: String, _ image: UnitTestImage, in folder: String) -> Contender {
    let arguments = image.arguments.isEmpty ? [] : ["--append", image.arguments]
    return Contender(
      name: "lapwing: \(image.name)", program: program,
      arguments: [
        "run", "\(folder)/\(image.file)", "--machine", "unittest", "--vcpus", "\(image.vcpus)", "--cpu", image.cpu,
        "--quiet",
      ] + arguments, expectedStatus: 0, expectedOutput: image.expectedOutput)
  }

  /// The command line of the suite's `x86/run`.
  fileprivate static func qemu(_ program: String, _ image: UnitTestImage, in folder: String) -> Contender {
    Contender(
      name: "qemu: \(image.name)", program: program,
      arguments: [
        "--no-reboot", "-nodefaults", "-global", "kvm-pit.lost_tick_policy=discard", "-device", "pc-testdev",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4", "-display", "none", "-serial", "stdio", "-device",
        "pci-testdev", "-machine", "accel=kvm", "-kernel", "\(folder)/\(image.file)", "-smp", "\(image.vcpus)", "-cpu",
        image.cpu, "-append", image.arguments,
      ], expectedStatus: 1, expectedOutput: image.expectedOutput)
  }

  /// QEMU's smallest machine.
  fileprivate static func microvm(_ program: String, _ image: UnitTestImage, in folder: String) -> Contender {
    Contender(
      name: "qemu -M microvm: \(image.name)", program: program,
      arguments: [
        "-M", "microvm", "-accel", "kvm", "-m", "128M", "-nodefaults", "-no-user-config", "-display", "none", "-serial",
        "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", "\(folder)/\(image.file)",
      ], expectedStatus: 1, expectedOutput: image.expectedOutput)
  }
}
