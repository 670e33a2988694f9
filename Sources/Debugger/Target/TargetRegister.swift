import APIC
import KVM
import Support

/// A register as gdb sees it: its place in the description, and where it is in KVM's state.
struct TargetRegister: Sendable {
  /// The feature of the description that it belongs to.
  enum Feature: String, CaseIterable, Sendable {
    case core = "org.gnu.gdb.i386.core"
    case sse = "org.gnu.gdb.i386.sse"
    case segments = "org.gnu.gdb.i386.segments"
    /// What gdb has no feature for: what an interrupt depends on beside RFLAGS.
    case system = "org.lapwing.x86.system"
  }

  /// gdb's name of it.
  let name: String
  /// Its size in bytes.
  let size: Int
  /// gdb's type of it.
  let type: String
  /// Where it belongs.
  let feature: Feature
  private let read: @Sendable (RegisterFile) -> [UInt8]
  private let write: (@Sendable (inout RegisterFile, [UInt8]) -> Void)?

  /// What it holds, least significant byte first.
  func bytes(of file: RegisterFile) -> [UInt8] { read(file) }

  /// Changes it.
  ///
  /// - Parameter bytes: as many as it has.
  /// - Returns: whether it may be changed.
  func set(_ bytes: [UInt8], in file: inout RegisterFile) -> Bool {
    guard let write else { return false }
    write(&file, bytes)
    return true
  }

  init(
    _ name: String, size: Int, type: String, _ feature: Feature, read: @escaping @Sendable (RegisterFile) -> [UInt8],
    write: (@Sendable (inout RegisterFile, [UInt8]) -> Void)? = nil
  ) {
    self.name = name
    self.size = size
    self.type = type
    self.feature = feature
    self.read = read
    self.write = write
  }

  /// An integer that KVM keeps as one.
  init<Value: FixedWidthInteger & Sendable>(
    _ name: String, _ path: any WritableKeyPath<RegisterFile, Value> & Sendable, _ feature: Feature = .core,
    size: Int? = nil, type: String? = nil, isReadOnly: Bool = false
  ) {
    let size = size ?? Value.bitWidth / 8
    self.init(name, size: size, type: type ?? "int\(8 * size)", feature) { file in
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(file[keyPath: path])
      return Array((bytes + [UInt8](repeating: 0, count: size)).prefix(size))
    } write: { file, bytes in
      file[keyPath: path] = Value(truncatingIfNeeded: bytes.littleEndian)
    }
    if isReadOnly { self = TargetRegister(name, size: size, type: self.type, feature, read: read) }
  }
}

extension TargetRegister {
  /// All of them: gdb numbers them in this order, and `g` and `G` have them in it.
  static let all = core + sse + segments + system

  /// The numbers of RBP, RSP and RIP, which come along with a stop.
  static let expedited = [6, 7, 16]
  /// RIP's.
  static let pc = 16

  private static let core: [TargetRegister] =
    [
      TargetRegister("rax", \.general.rax), TargetRegister("rbx", \.general.rbx),
      TargetRegister("rcx", \.general.rcx), TargetRegister("rdx", \.general.rdx),
      TargetRegister("rsi", \.general.rsi), TargetRegister("rdi", \.general.rdi),
      TargetRegister("rbp", \.general.rbp, type: "data_ptr"), TargetRegister("rsp", \.general.rsp, type: "data_ptr"),
      TargetRegister("r8", \.general.r8), TargetRegister("r9", \.general.r9),
      TargetRegister("r10", \.general.r10), TargetRegister("r11", \.general.r11),
      TargetRegister("r12", \.general.r12), TargetRegister("r13", \.general.r13),
      TargetRegister("r14", \.general.r14), TargetRegister("r15", \.general.r15),
      TargetRegister("rip", \.linearPC, type: "code_ptr"),
      TargetRegister("eflags", \.general.rflags, size: 4, type: "i386_eflags"),
      selector("cs", \.special.cs.selector), selector("ss", \.special.ss.selector),
      selector("ds", \.special.ds.selector), selector("es", \.special.es.selector),
      selector("fs", \.special.fs.selector), selector("gs", \.special.gs.selector),
    ] + (0..<8).map { x87($0) } + X87Control.allCases.map(\.register)

  private static let sse: [TargetRegister] =
    (0..<16).map { xmm($0) } + [TargetRegister("mxcsr", \.fpu.mxcsr, .sse, type: "i386_mxcsr")]

  private static let segments = [
    TargetRegister("fs_base", \.special.fs.base, .segments), TargetRegister("gs_base", \.special.gs.base, .segments),
  ]

  private static let system = [
    TargetRegister("cs_base", \.special.cs.base, .system, isReadOnly: true),
    TargetRegister("ss_base", \.special.ss.base, .system, isReadOnly: true),
    TargetRegister("ds_base", \.special.ds.base, .system, isReadOnly: true),
    TargetRegister("es_base", \.special.es.base, .system, isReadOnly: true),
    TargetRegister("gdtr_base", \.special.gdt.base, .system, isReadOnly: true),
    TargetRegister("idtr_base", \.special.idt.base, .system, isReadOnly: true),
    TargetRegister("cr0", \.special.cr0, .system), TargetRegister("cr2", \.special.cr2, .system),
    TargetRegister("cr3", \.special.cr3, .system), TargetRegister("cr4", \.special.cr4, .system),
    TargetRegister("cr8", \.special.cr8, .system), TargetRegister("efer", \.special.efer, .system),
    TargetRegister("apic_base", size: 8, type: "int64", .system) { file in
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(file.special.apicBase.rawValue)
      return bytes
    },
  ]

  /// A selector alone, without the descriptor that the processor has cached for it: to be looked at.
  private static func selector(
    _ name: String, _ path: any WritableKeyPath<RegisterFile, UInt16> & Sendable
  ) -> TargetRegister {
    TargetRegister(name, path, size: 4, isReadOnly: true)
  }

  private static func x87(_ index: Int) -> TargetRegister {
    TargetRegister("st\(index)", size: 10, type: "i387_ext", .core) { file in
      Array(file.fpu.fpr[16 * index..<16 * index + 10])
    } write: { file, bytes in
      file.fpu.fpr.replaceSubrange(16 * index..<16 * index + 10, with: bytes)
    }
  }

  private static func xmm(_ index: Int) -> TargetRegister {
    TargetRegister("xmm\(index)", size: 16, type: "vec128", .sse) { file in
      Array(file.fpu.xmm[16 * index..<16 * index + 16])
    } write: { file, bytes in
      file.fpu.xmm.replaceSubrange(16 * index..<16 * index + 16, with: bytes)
    }
  }
}

/// What gdb is told of the registers (Debugging with GDB, "Target Description Format", "i386 Features").
///
/// It is that of a 64-bit processor in every mode: gdb cannot change it while it is connected, and a guest changes its mode.
public enum TargetDescription {
  /// The document that gdb asks for.
  public static let annex = "target.xml"

  /// Its text.
  public static let text: String = {
    var lines = [
      "<?xml version=\"1.0\"?>", "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">", "<target>",
      "<architecture>i386:x86-64</architecture>",
    ]
    for feature in TargetRegister.Feature.allCases {
      lines.append("<feature name=\"\(feature.rawValue)\">")
      lines += types(of: feature)
      for register in TargetRegister.all where register.feature == feature {
        lines.append(element(register))
      }
      lines.append("</feature>")
    }
    return (lines + ["</target>"]).joined(separator: "\n")
  }()

  private static func element(_ register: TargetRegister) -> String {
    // gdb's own group for what `info registers` shows, or for `info float` and `info vector`.
    let group = register.type == "int" ? " group=\"float\"" : ""
    return "<reg name=\"\(register.name)\" bitsize=\"\(8 * register.size)\" type=\"\(register.type)\"\(group)/>"
  }

  private static func types(of feature: TargetRegister.Feature) -> [String] {
    switch feature {
    case .core: return [flags("i386_eflags", size: 4, eflags)]
    case .sse:
      let vectors = [
        ("v4f", "ieee_single", 4), ("v2d", "ieee_double", 2), ("v16i8", "int8", 16), ("v8i16", "int16", 8),
        ("v4i32", "int32", 4), ("v2i64", "int64", 2),
      ]
      let fields = [
        ("v4_float", "v4f"), ("v2_double", "v2d"), ("v16_int8", "v16i8"), ("v8_int16", "v8i16"),
        ("v4_int32", "v4i32"), ("v2_int64", "v2i64"), ("uint128", "uint128"),
      ]
      return vectors.map { "<vector id=\"\($0.0)\" type=\"\($0.1)\" count=\"\($0.2)\"/>" }
        + ["<union id=\"vec128\">"] + fields.map { "<field name=\"\($0.0)\" type=\"\($0.1)\"/>" } + ["</union>"]
        + [flags("i386_mxcsr", size: 4, mxcsr)]
    case .segments, .system: return []
    }
  }

  private static func flags(_ id: String, size: Int, _ fields: [(name: String, bits: ClosedRange<Int>)]) -> String {
    let lines = fields.map { name, bits in
      "<field name=\"\(name)\" start=\"\(bits.lowerBound)\" end=\"\(bits.upperBound)\"/>"
    }
    return (["<flags id=\"\(id)\" size=\"\(size)\">"] + lines + ["</flags>"]).joined(separator: "\n")
  }

  /// SDM volume 1, section 3.4.3. A name that gdb reads as empty is that of bit 1, which is always 1.
  private static let eflags: [(name: String, bits: ClosedRange<Int>)] = [
    ("CF", 0...0), ("", 1...1), ("PF", 2...2), ("AF", 4...4), ("ZF", 6...6), ("SF", 7...7), ("TF", 8...8),
    ("IF", 9...9), ("DF", 10...10), ("OF", 11...11), ("IOPL", 12...13), ("NT", 14...14), ("RF", 16...16),
    ("VM", 17...17), ("AC", 18...18), ("VIF", 19...19), ("VIP", 20...20), ("ID", 21...21),
  ]

  /// SDM volume 1, section 10.2.3.
  private static let mxcsr: [(name: String, bits: ClosedRange<Int>)] = [
    ("IE", 0...0), ("DE", 1...1), ("ZE", 2...2), ("OE", 3...3), ("UE", 4...4), ("PE", 5...5), ("DAZ", 6...6),
    ("IM", 7...7), ("DM", 8...8), ("ZM", 9...9), ("OM", 10...10), ("UM", 11...11), ("PM", 12...12), ("FZ", 15...15),
  ]
}
