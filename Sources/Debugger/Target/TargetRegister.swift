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
