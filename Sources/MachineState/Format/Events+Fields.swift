import JSON
import KVM

extension VCPUEvents {
  static var fields: [Field<VCPUEvents>] {
    [
      .object(
        "exception", \.exception,
        [
          .flag("injected", \.injected), .flag("pending", \.pending), .hex("number", \.number, upTo: 31),
          .optionalHex("errorCode", \.errorCode), .optionalHex("payload", \.payload),
        ]),
      .object(
        "interrupt", \.interrupt,
        [
          .flag("injected", \.injected), .hex("number", \.number), .flag("soft", \.soft),
          .hex("shadow", \.shadow, upTo: 3),
        ]),
      .object(
        "nmi", \.nmi,
        [.flag("injected", \.injected), .count("pending", \.pending, in: 0...2), .flag("masked", \.masked)]),
      Field("smi", \.smi, .optional(.object(SMI.fields, SMI()))),
      .optionalHex("sipiVector", \.sipiVector),
      Field("tripleFault", \.tripleFault, .optional(.flag)),
    ]
  }
}

extension VCPUEvents.SMI {
  fileprivate static var fields: [Field<VCPUEvents.SMI>] {
    [
      .flag("inSMM", \.inSMM), .flag("pending", \.pending), .flag("insideNMI", \.insideNMI),
      .flag("latchedINIT", \.latchedINIT),
    ]
  }
}

extension IRQFDState {
  /// Those that share an event have a number since 1.1. `isOwnedByVMM` was `isMachines` before 1.2.
  static var fields: [Field<IRQFDState>] {
    [
      .count("gsi", \.gsi, in: 0...4095), .hex("pending", \.pending, upTo: .max - 1),
      Field("resamplePending", \.resamplePending, .optional(.hex(upTo: .max - 1))),
      .flag("isOwnedByVMM", \.isOwnedByVMM).formerly("isMachines", beforeMinor: 2), .sharedEvent(\.event),
    ]
  }
}

extension IOEventState {
  static var fields: [Field<IOEventState>] {
    [
      Field("port", \.port, .optional(.hex)), Field("address", \.memoryAddress, .optional(.hex)),
      .count("length", \.length, in: 0...8), .optionalHex("match", \.match),
      .hex("pending", \.pending, upTo: .max - 1), .sharedEvent(\.event),
    ]
  }

  private var port: UInt16? {
    get { if case .port(let port) = address { port } else { nil } }
    set { if let newValue { address = .port(newValue) } }
  }

  private var memoryAddress: UInt64? {
    get { if case .mmio(let address) = address { address } else { nil } }
    set { if let newValue { address = .mmio(newValue) } }
  }
}

extension Field {
  fileprivate static func sharedEvent(_ path: WritableKeyPath<Root, UInt32?>) -> Field {
    Field("event", path, .optional(.count(in: 0...UInt32(MachineState.eventLimit)))).since(minor: 1)
  }
}
