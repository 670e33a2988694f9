/// A guest that the contenders run.
enum Guest: String {
  case hello
  case multibootHello = "multiboot-hello"

  /// What shows that it ran.
  var greeting: String {
    switch self {
    case .hello: "Hello from ring 0."
    case .multibootHello: "Hello from a Multiboot image."
    }
  }
}

/// A command line, and what tells that it did its work.
struct Contender {
  let name: String
  let program: String
  let arguments: [String]
  let expectedStatus: Int32
  let expectedOutput: String

  static func floor(_ program: String, _ guest: Guest) -> Contender {
    Contender(
      name: "floor run \(guest.rawValue)", program: program, arguments: ["run", guest.rawValue], expectedStatus: 0,
      expectedOutput: guest.greeting)
  }

  static func lapwing(_ program: String, _ guest: Guest) -> Contender {
    Contender(
      name: "lapwing run \(guest.rawValue)", program: program, arguments: ["run", guest.rawValue], expectedStatus: 0,
      expectedOutput: guest.greeting)
  }

  /// The floor once more, to write the file of a guest.
  static func image(_ program: String, _ guest: Guest) -> Contender {
    Contender(
      name: "floor image \(guest.rawValue)", program: program, arguments: ["image", guest.rawValue], expectedStatus: 0,
      expectedOutput: guest.greeting)
  }

  /// QEMU's smallest machine, with no devices but the serial port and the debug exit. A guest's 0 makes QEMU exit with
  /// 0 << 1 | 1.
  ///
  /// - Parameters:
  ///   - program: where QEMU is.
  ///   - image: the guest's file.
  ///   - options: what the machine is told beyond its name, such as to do without ACPI tables.
  static func qemu(_ program: String, image: String, options: String = "") -> Contender {
    Contender(
      name: "qemu -M microvm\(options)", program: program,
      arguments: [
        "-M", "microvm\(options)", "-accel", "kvm", "-m", "64M", "-nodefaults", "-no-user-config",
        "-display", "none", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", image,
      ],
      expectedStatus: 1, expectedOutput: Guest.multibootHello.greeting)
  }
}
