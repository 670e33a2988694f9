import Support
import VMM

/// What options of QEMU's mean for a machine of Lapwing's.
struct QEMUOptions {
  /// An option, or a value of one, that this machine cannot have.
  struct Unsupported: Error, Hashable {
    let reason: String
  }

  var cpu = CPUModel.unitTestDefault
  var memory = UnitTestPlatform.defaultMemory
  var hasPIT = true
  var irqChip = MachineConfiguration.IRQChip.kernel

  init(_ words: [String]) throws(Unsupported) {
    var rest = words[...]
    while let option = rest.popFirst() {
      // QEMU takes one dash or two.
      switch option.hasPrefix("--") ? String(option.dropFirst()) : option {
      case "-enable-kvm": break
      case "-cpu": try setCPU(try Self.value(of: option, &rest))
      // There wherever the guest is told of Hyper-V's interrupt controller.
      case "-device" where rest.first == "hyperv-testdev": rest.removeFirst()
      case "-m": memory = try Self.size(try Self.value(of: option, &rest))
      case "-machine", "-M": try setMachine(try Self.value(of: option, &rest))
      case "-accel":
        let value = try Self.value(of: option, &rest)
        guard value == "kvm" || value.hasPrefix("kvm,") else { throw Self.unsupported("-accel \(value)") }
      case let other: throw Self.unsupported(([other] + rest.prefix(1)).joined(separator: " "))
      }
    }
  }

  private static func unsupported(_ what: String) -> Unsupported {
    Unsupported(reason: "this machine has no '\(what)'")
  }

  private static func value(of option: String, _ rest: inout ArraySlice<String>) throws(Unsupported) -> String {
    guard let value = rest.popFirst() else { throw Unsupported(reason: "the option '\(option)' has no value") }
    return value
  }

  private mutating func setCPU(_ text: String) throws(Unsupported) {
    do throws(CPUModel.ParsingError) {
      cpu = try CPUModel(text)
    } catch {
      throw Unsupported(reason: error.description)
    }
  }

  /// Mebibytes, or a number with a unit.
  private static func size(_ text: String) throws(Unsupported) -> UInt64 {
    guard let size = ByteSize(text, defaultUnit: .mebibyte) else {
      throw Unsupported(reason: "'\(text)' is no size of memory")
    }
    return size.bytes
  }

  private mutating func setMachine(_ text: String) throws(Unsupported) {
    for part in text.split(separator: ",") {
      switch part {
      case "pc", "type=pc", "accel=kvm", "pit=on", "kernel_irqchip=on", "kernel-irqchip=on", "vmport=off", "usb=off",
        "smm=off", "hpet=off":
        break
      case "pit=off": hasPIT = false
      case "kernel_irqchip=split", "kernel-irqchip=split": irqChip = .split
      default: throw Self.unsupported("-machine \(part)")
      }
    }
  }
}
