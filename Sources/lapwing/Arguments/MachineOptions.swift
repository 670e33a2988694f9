public import ArgumentParser
import KVM
import Support
public import VMM

/// What a machine is made of, from the command line.
struct MachineOptions: ParsableArguments {
  @Option(name: [.long, .customShort("c")], help: "How many vCPUs.")
  var vcpus = 1

  @Option(
    name: [.long, .customShort("m")], help: "Guest memory, such as 64M, which is the default, or 1G; for Linux 512M.")
  var memory: ByteSize?

  @Option(help: "Where the IOAPIC and the PIC are: in the kernel, or split, with the IOAPIC in this process.")
  var irqchip = MachineConfiguration.IRQChip.kernel

  @Option(help: "How the guest is to reach its local APICs.")
  var apic = MachineConfiguration.APIC.x2APIC

  @Option(help: "Who starts the application processors: the guest, with INIT and SIPI, or the machine, directly.")
  var start = MachineConfiguration.Start.sipi

  @Option(
    help: """
      Arguments for the guest; a Linux kernel's command line, which is 'console=ttyS0 panic=-1' where none is given.
      """)
  var append: String?

  @Option(help: "The initial RAM disk of a Linux kernel: cpio archives, compressed or not.", completion: .file())
  var initrd: String?

  @Option(
    name: .customLong("init"),
    help: """
      A statically linked program that becomes the guest's /init, in an archive that is made for it, behind that of \
      --initrd if there is one.
      """, completion: .file())
  var initProgram: String?

  @Option(help: "Where flat real-mode code goes, below 1 MiB; such an image cannot say it itself.")
  var loadAddress: Address?

  @Option(
    help: """
      standard: Lapwing's own small machine. unittest: the PC that kvm-unit-tests' images look for, with 128M unless \
      --memory says otherwise. linux: a PC with ACPI and a PCI bus. Without it a Linux kernel gets linux, any other image \
      standard.
      """)
  var machine: Profile?

  @Option(
    help: """
      The processor that the guest sees, such as qemu64,+x2apic,-tsc-deadline; host for all that KVM supports. It then \
      decides on x2APIC, in place of --apic.
      """)
  var cpu: CPUModel?

  @Flag(help: "Give it a virtio-rng: random bytes over PCI, with MSI-X.")
  var rng = false

  @Option(
    help: ArgumentHelp(
      "Give it a virtio-blk, over PCI with MSI-X: a disk image or a block device; ,ro behind it has it only read.",
      valueName: "file[,ro]"))
  var disk: [DiskArgument] = []

  /// What kind of PC it is.
  enum Profile: String, ArgumentChoice {
    /// Lapwing's own.
    case standard
    /// kvm-unit-tests'.
    case unittest
    /// For Linux kernels.
    case linux
  }

  /// The machine that an image runs on.
  func configuration(for image: GuestImage) -> MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.vcpus = vcpus
    configuration.arguments = append ?? ""
    switch machine ?? (loadAddress == nil && image.isLinuxKernel ? .linux : .standard) {
    case .standard: break
    case .unittest: configuration.become(UnitTestPlatform(), cpu: .unitTestDefault)
    case .linux:
      configuration.profile = .linux
      configuration.memory = MachineProfile.linuxMemory
      configuration.arguments = append ?? Self.defaultLinuxCommandLine
    }
    if let memory { configuration.memory = memory.bytes }
    configuration.apic = apic
    // After `apic`: a model decides on x2APIC itself.
    if let cpu { configuration.cpu = cpu }
    configuration.irqChip = irqchip
    configuration.start = start
    configuration.loadAddress = loadAddress?.value
    configuration.virtio = (rng ? [.entropy] : []) + disk.map { .disk($0.disk) }
    return configuration
  }

  /// The files that the machine is made of.
  var files: [(what: TextLine, name: String?)] {
    [("--initrd", initrd), ("--init", initProgram)] + disk.map { ("--disk", $0.disk.path) }
  }

  /// Says what the machine needs.
  func describe(_ needs: inout CommandNeeds, _ guest: GuestArgument) {
    needs.read(guest.fileName, initrd, initProgram)
    needs.use(disk)
  }

  /// A guest's image, with what goes beside a kernel.
  ///
  /// - Parameter patience: how long a pipe may take to its end.
  func image(of guest: GuestArgument, within patience: Duration) throws(Failure) -> GuestImage {
    let image = try guest.image(within: patience)
    guard initrd != nil || initProgram != nil else { return image }
    let configuration = configuration(for: image)
    guard configuration.profile == .linux else {
      throw Failure("--initrd and --init are for Linux kernels, which '\(image.name)' is none of", .usage)
    }
    return try completing(image, memory: configuration.memory, within: patience)
  }

  /// A machine with a guest in it.
  func build(_ image: GuestImage, console: Console) throws(Failure) -> Machine {
    let configuration = configuration(for: image)
    let kvm = try openKVM()
    do throws(MachineError) {
      return try Machine(configuration, image: image, on: kvm, console: console)
    } catch {
      throw Failure(error)
    }
  }
}

extension MachineConfiguration.IRQChip: ArgumentChoice {}
extension MachineConfiguration.APIC: ArgumentChoice {}
extension MachineConfiguration.Start: ArgumentChoice {}

extension CPUModel: ExpressibleByArgument {
  /// A model as `qemu64,+x2apic`; nil for one that is not known.
  public init?(argument: String) {
    guard let model = try? CPUModel(argument) else { return nil }
    self = model
  }
}

/// A disk as people name it: its file, with `,ro` behind it for one that is only read.
struct DiskArgument: ExpressibleByArgument {
  let disk: VirtioDevice.Disk

  init?(argument: String) {
    let isReadOnly = argument.hasSuffix(",ro")
    let path = isReadOnly ? String(argument.dropLast(3)) : argument
    guard !path.isEmpty else { return nil }
    disk = VirtioDevice.Disk(path: path, isReadOnly: isReadOnly)
  }
}

extension MachineConfiguration {
  /// Names the files of the disks of a machine that is made again: a snapshot may come from anywhere, and does not choose
  /// files of this host's.
  ///
  /// - Throws: `Failure` where there are not as many, or one is only read that the guest could write to.
  mutating func name(_ disks: [DiskArgument]) throws(Failure) {
    let places = virtio.indices.filter { if case .disk = virtio[$0] { true } else { false } }
    guard places.count == disks.count else {
      let number = places.count == 1 ? "1 disk" : "\(places.count) disks"
      throw Failure("the machine has \(number); name each with --disk FILE, in their order", .usage)
    }
    for (place, argument) in zip(places, disks) {
      guard case .disk(var disk) = virtio[place] else { continue }
      guard disk.isReadOnly || !argument.disk.isReadOnly else {
        throw Failure("the guest could write to the disk '\(argument.disk.path)'; name it without ',ro'", .usage)
      }
      disk.path = argument.disk.path
      virtio[place] = .disk(disk)
    }
  }
}
