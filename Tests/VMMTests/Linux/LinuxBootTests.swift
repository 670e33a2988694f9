import KVM
import TestImages
import Testing

@testable import VMM

/// Kernels of a few bytes, entered as Linux is.
@Suite(.needsKVM) struct LinuxBootTests {
  private static func boot(
    _ bytes: [UInt8], initrd: [UInt8]? = nil, _ configure: (inout MachineConfiguration) -> Void = { _ in }
  ) throws -> Run {
    var image = GuestImage(name: "test", bytes: bytes)
    image.initrd = initrd.map { ImageBytes($0) }
    return try Run(image) {
      $0.profile = .linux
      $0.memory = 8 << 20
      configure(&$0)
    }
  }

  private static let kernels = [ReportingKernel.bzImage.bytes, ReportingKernel.pvh.bytes]

  @Test(arguments: kernels, MachineConfiguration.IRQChip.allCases)
  func `a kernel finds command line, memory map, ACPI and RAM disk, and switches the machine off`(
    kernel: [UInt8], irqChip: MachineConfiguration.IRQChip
  ) throws {
    let run = try Self.boot(kernel, initrd: Array("<disk>".utf8)) {
      $0.arguments = "console=ttyS0 one=\"two three\" "
      $0.irqChip = irqChip
      $0.vcpus = 2
    }
    #expect(run.machine.console.text == "console=ttyS0 one=\"two three\" 3RSD PTR<disk>")
    guard case .poweredOff(vcpu: 0) = run.outcome else {
      Issue.record("\(run.ending)")
      return
    }
    #expect(run.outcome.isSuccess && run.outcome.isByGuest)
  }

  @Test func `a kernel may have 64 processors, of which the others wait for it`() throws {
    let run = try Self.boot(Self.kernels[0]) { $0.vcpus = 64 }
    #expect(run.machine.console.text == "3RSD PTR")
    let states = try run.machine.vcpus.dropFirst().map { (vcpu) throws(KVMError) in try vcpu.mpState() }
    #expect(states.allSatisfy { $0 == .uninitialized })
  }

  @Test(arguments: kernels) func `memory above 4 GiB is on the map, and no RAM disk is none`(kernel: [UInt8]) throws {
    let run = try Self.boot(kernel) { $0.memory = 4 << 30 }
    #expect(run.machine.console.text == "4RSD PTR")
  }

  @Test func `the longest command line fits, and one byte more does not`() throws {
    let run = try Self.boot(Self.kernels[0]) { $0.arguments = String(repeating: "x", count: 255) }
    #expect(run.machine.console.text.hasPrefix(String(repeating: "x", count: 255) + "3"))
    let error = #expect(throws: MachineError.self) {
      try Self.boot(Self.kernels[0]) { $0.arguments = String(repeating: "x", count: 256) }
    }
    guard case .image(.commandLineTooLong(256, 255)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let limit = LinuxLayout.commandLineLimit
    _ = try Self.boot(Self.kernels[1]) { $0.arguments = String(repeating: "x", count: limit) }
    #expect(throws: MachineError.self) {
      try Self.boot(Self.kernels[1]) { $0.arguments = String(repeating: "x", count: limit + 1) }
    }
  }

  @Test(arguments: kernels) func `a RAM disk that does not fit between the kernel and the end of memory is refused`(
    kernel: [UInt8]
  ) throws {
    let error = #expect(throws: MachineError.self) {
      try Self.boot(kernel, initrd: [UInt8](repeating: 0, count: 6 << 20))
    }
    guard case .image(.initrdTooLarge(_, _, 8 << 20)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `a RAM disk lies no higher than the kernel takes it`() throws {
    var kernel = ReportingKernel.bzImage
    kernel.lastInitrdAddress = 0x2f_ffff
    #expect(try Self.boot(kernel.bytes, initrd: Array("low".utf8)).machine.console.text == "3RSD PTRlow")
    kernel.lastInitrdAddress = 0x20_ffff
    #expect(throws: MachineError.self) { try Self.boot(kernel.bytes, initrd: [1]) }
    kernel.lastInitrdAddress = 0
    #expect(throws: MachineError.self) { try Self.boot(kernel.bytes, initrd: [1]) }
  }

  @Test func `a kernel and its profile go together`() throws {
    for image in Self.kernels {
      #expect(throws: MachineError.self) { try Self.boot(image) { $0.profile = .standard } }
      #expect(throws: MachineError.self) { try Self.boot(image) { $0.start = .direct } }
    }
    #expect(throws: MachineError.self) { try Self.boot(ELFImage(code: [0xf4]).bytes) }
  }

  @Test func `without its note, and with a damaged one, an ELF file is entered in long mode as ever`() throws {
    var image = ReportingKernel.pvh
    #expect(try GuestImage(name: "test", bytes: image.bytes).plan().entry == .pvh(0x20_0000))
    for damage in [{ $0.type = 1 << 30 }, { $0.contents.removeLast(9) }, { $0.claimedFileSize = .max }]
      as [(inout ELFImage.Segment) -> Void]
    {
      image = ReportingKernel.pvh
      damage(&image.segments[1])
      #expect(try GuestImage(name: "test", bytes: image.bytes).plan().entry == .longMode(0x20_0000))
    }
  }

  @Test(arguments: [(200, LoadPlan.Entry.pvh(0x20_0000)), (2_000_000, .longMode(0x20_0000))])
  func `a note behind many is found, and one behind millions is not looked for`(
    count: Int, entry: LoadPlan.Entry
  ) throws {
    var image = ReportingKernel.pvh
    let empty = [UInt8](repeating: 0, count: 12 * count)
    image.segments[1].contents.insert(contentsOf: empty, at: 0)
    #expect(try GuestImage(name: "test", bytes: image.bytes).plan().entry == entry)
  }

  @Test(arguments: [0x64: 0xfe, 0xcf9: 0x06] as [UInt16: UInt8])
  func `a reset by the keyboard controller or the chip set ends the machine, which says so`(
    port: UInt16, value: UInt8
  ) throws {
    let run = try Self.boot(KernelImage(code: Code(.long).out(value, to: port).halt().bytes).bytes)
    guard case .reset(vcpu: 0) = run.outcome else {
      Issue.record("\(run.ending)")
      return
    }
  }

  @Test func `an instruction that this host's KVM has to emulate and cannot ends the machine with its name`() throws {
    // mov rdi, 0x30000; lock cmpxchg16b [rdi]
    let code = Code(.long).then([0x48, 0xc7, 0xc7, 0, 0, 3, 0, 0xf0, 0x48, 0x0f, 0xc7, 0x0f]).debugExit(0)
    let run = try Self.boot(KernelImage(code: code.bytes).bytes)
    guard BackEnd.loaded() == .kvmPVM else {
      // A processor runs the guest's ring 0 itself.
      #expect(run.ending == "the guest wrote 0 to the debug exit")
      return
    }
    guard case .unrunnable(let reason, vcpu: 0) = run.outcome else {
      Issue.record("\(run.ending)")
      return
    }
    #expect(reason.contains("KVM_INTERNAL_ERROR_EMULATION, instruction f0 48 0f c7 0f"))
    #expect(reason.hasSuffix("this host's KVM has to emulate CMPXCHG16B there, and cannot"), "\(reason)")
  }

  @Test func `the guest is told that it is one`() throws {
    // mov eax, 1; cpuid; shr ecx, 31; mov eax, ecx; out 0xf4, al
    let code: [UInt8] = [0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0xc1, 0xe9, 31, 0x89, 0xc8, 0xe6, 0xf4, 0xf4]
    let run = try Self.boot(KernelImage(code: code).bytes)
    guard case .debugExit(value: 1, vcpu: 0) = run.outcome else {
      Issue.record("\(run.ending)")
      return
    }
  }
}
