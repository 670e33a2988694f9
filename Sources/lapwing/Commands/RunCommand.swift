import ArgumentParser
import Support

/// `lapwing run`: boots a guest and shows what happens.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Boot a guest and show its interrupts.",
    discussion: """
      GUEST is the name of a built-in guest (see 'lapwing list') or the path of an image: ELF64, entered in long mode; \
      Multiboot 1, entered in protected mode; a Linux kernel, as bzImage or vmlinux (docs/linux-guests.md); or, with \
      --load-address, flat real-mode code. A guest ends by writing to \
      port 0xf4, where 0 is success, as with QEMU's isa-debug-exit; port 0x3f8 is a serial console.
      """)

  @Argument(help: "A built-in guest or the path of an image.")
  var guest: GuestArgument

  @OptionGroup(title: "Machine")
  var machine: MachineOptions

  @Option(help: "How long the guest may run, such as 500ms, 10s or 2m.")
  var timeout = TimeLimit.seconds(30)

  @OptionGroup var options: GuestRunOptions

  func run() throws {
    try perform { () throws(Failure) in
      try options.confine { machine.describe(&$0, guest) }
      try options.refuseSharedFiles(besides: [("the image", guest.fileName)] + machine.files)
      // Before signals are held: these may come from pipes whose writers sleep.
      let image = try machine.image(of: guest, within: timeout.duration)
      let (run, signals) = try options.prepare(guest.name, vcpus: machine.vcpus, limit: timeout.duration)
      return try run.run(try machine.build(image, console: run.makeConsole()), signals)
    }
  }
}
