public import ArgumentParser
import KVM
public import VMM

/// What a machine is made of, from the command line.
struct MachineOptions: ParsableArguments {
  @Option(name: [.long, .customShort("c")], help: "How many vCPUs.")
  var vcpus = 1

  @Option(name: [.long, .customShort("m")], help: "Guest memory, such as 64M or 1G.")
  var memory = MemorySize(bytes: 64 << 20)

  @Option(help: "Where the IOAPIC and the PIC are: in the kernel, or split, with the IOAPIC in this process.")
  var irqchip = MachineConfiguration.IRQChip.kernel

  @Option(help: "How the guest is to reach its local APICs.")
  var apic = MachineConfiguration.APIC.x2APIC

  @Option(help: "Who starts the application processors: the guest, with INIT and SIPI, or the machine, directly.")
  var start = MachineConfiguration.Start.sipi

  @Option(help: "Arguments for the guest.")
  var append = ""

  @Option(help: "Where flat real-mode code goes, below 1 MiB; such an image cannot say it itself.")
  var loadAddress: Address?

  var configuration: MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.vcpus = vcpus
    configuration.memory = memory.bytes
    configuration.irqChip = irqchip
    configuration.apic = apic
    configuration.start = start
    configuration.arguments = append
    configuration.loadAddress = loadAddress?.value
    return configuration
  }

  /// A machine with a guest in it.
  func build(_ guest: GuestArgument, console: Console) throws(Failure) -> Machine {
    let image = try guest.image()
    let kvm = try openKVM()
    do throws(MachineError) {
      return try Machine(configuration, image: image, on: kvm, console: console)
    } catch {
      throw Failure(error)
    }
  }
}

extension MachineConfiguration.IRQChip: ExpressibleByArgument {}
extension MachineConfiguration.APIC: ExpressibleByArgument {}
extension MachineConfiguration.Start: ExpressibleByArgument {}
