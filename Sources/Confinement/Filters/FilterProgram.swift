import CConfinement
import Synchronization
public import SystemPackage

/// A filter of system calls as the kernel takes it: a program of classic BPF over `struct seccomp_data`.
///
/// The kernel runs it once for each call's number when it is put in place, and remembers which are let through whatever their
/// arguments are (kernel/seccomp.c, `seccomp_cache_prepare`, since Linux 5.11): those cost next to nothing then. Numbers are
/// looked for by halves, so that this takes few steps, as does a call whose arguments are looked at.
public struct FilterProgram: Sendable {
  /// An instruction (struct sock_filter, linux/filter.h).
  public struct Instruction: Hashable, Sendable {
    /// What it does.
    public var code: UInt16
    /// How many instructions are passed over where what it compares is so.
    public var ifTrue: UInt8 = 0
    /// How many where it is not.
    public var ifFalse: UInt8 = 0
    /// Its operand.
    public var operand: UInt32

    // linux/bpf_common.h: BPF_LD | BPF_W | BPF_ABS, BPF_ALU | BPF_AND | BPF_K, BPF_JMP with BPF_JA, BPF_JEQ | BPF_K and
    // BPF_JGE | BPF_K, BPF_RET | BPF_K.
    static func load(_ offset: UInt32) -> Instruction { Instruction(code: 0x20, operand: offset) }
    static func and(_ mask: UInt32) -> Instruction { Instruction(code: 0x54, operand: mask) }
    static func skip(_ count: Int) -> Instruction { Instruction(code: 0x05, operand: UInt32(count)) }
    static func isEqual(_ value: UInt32, else count: UInt8) -> Instruction {
      Instruction(code: 0x15, ifFalse: count, operand: value)
    }
    static func isLess(than value: UInt32, else count: UInt8) -> Instruction {
      Instruction(code: 0x35, ifTrue: count, operand: value)
    }
    static func end(_ answer: UInt32) -> Instruction { Instruction(code: 0x06, operand: answer) }
  }

  /// Its instructions.
  public let instructions: [Instruction]

  // linux/seccomp.h: struct seccomp_data and SECCOMP_RET_*; linux/audit.h: AUDIT_ARCH_X86_64.
  private enum Data {
    static let (number, architecture, arguments): (UInt32, UInt32, UInt32) = (0, 4, 16)
    static let amd64: UInt32 = 0xc000_003e
  }
  private enum Answer {
    static let allow: UInt32 = 0x7fff_0000
    static let trap: UInt32 = 0x0003_0000
    static func error(_ number: Int32) -> UInt32 { 0x0005_0000 | UInt32(bitPattern: number) & 0xffff }
    static let isAbsent = error(38)  // ENOSYS
  }

  /// The program of a filter. Calls of another architecture, i386's and x32's, are refused: they have other numbers.
  public init(_ filter: SystemCallFilter) {
    let refuse: UInt32 =
      switch filter.refusal {
      case .error(let number): Answer.error(number)
      case .signal: Answer.trap
      }
    var bodies: [(number: UInt32, body: [Instruction])] = []
    for group in filter.groups { for (number, _) in group.calls { bodies.append((number, [.end(Answer.allow)])) } }
    for (number, _) in filter.absent { bodies.append((number, [.end(Answer.isAbsent)])) }
    for exception in filter.exceptions { bodies.append((exception.number, Self.body(of: exception, else: refuse))) }
    bodies.sort { $0.number < $1.number }
    // From which number on what is done: neighbours that are answered alike are one.
    var ranges: [(start: UInt32, body: [Instruction])] = [(0, [.end(refuse)])]
    func begin(_ start: UInt32, _ body: [Instruction]) {
      if ranges[ranges.count - 1].start == start { ranges.removeLast() }
      if ranges.last?.body != body { ranges.append((start, body)) }
    }
    for (number, body) in bodies {
      begin(number, body)
      begin(number + 1, [.end(refuse)])
    }
    instructions =
      [.load(Data.architecture), .isEqual(Data.amd64, else: 1), .skip(1), .end(refuse), .load(Data.number)]
      + Self.search(ranges[...])
  }

  private static func body(of exception: SystemCallFilter.Exception, else refuse: UInt32) -> [Instruction] {
    exception.patterns.flatMap { pattern -> [Instruction] in
      let load = Instruction.load(Data.arguments + 8 * exception.argument)
      let mask: [Instruction] = pattern.mask == .max ? [] : [.and(pattern.mask)]
      return [load] + mask + [.isEqual(pattern.value, else: 1), .end(Answer.allow)]
    } + [.end(refuse)]
  }

  /// Finds the range of the number, and does what is done there.
  private static func search(_ ranges: ArraySlice<(start: UInt32, body: [Instruction])>) -> [Instruction] {
    guard ranges.count > 1 else { return ranges.first?.body ?? [] }
    let middle = ranges.startIndex + ranges.count / 2
    let below = search(ranges[..<middle])
    let rest = search(ranges[middle...])
    // A comparison passes over 255 instructions at the most.
    guard let near = UInt8(exactly: below.count) else {
      return [.isLess(than: ranges[middle].start, else: 1), .skip(1), .skip(below.count)] + below + rest
    }
    return [.isLess(than: ranges[middle].start, else: near)] + below + rest
  }

  /// Has the kernel answer system calls of the calling thread, and of those that it starts, by this program.
  ///
  /// - Throws: the error of seccomp(2): `ENOSYS` or `EINVAL` where the kernel has no filters, `ENOMEM`.
  public func apply() throws(Errno) {
    let raw = instructions.map { sock_filter(code: $0.code, jt: $0.ifTrue, jf: $0.ifFalse, k: $0.operand) }
    // Sound: the call reads as many instructions as the array has, which is valid meanwhile.
    let answer = unsafe raw.withUnsafeBufferPointer { raw in
      unsafe cconfinement_filter(raw.baseAddress, UInt16(clamping: raw.count))
    }
    guard answer == 0 else { throw Errno(rawValue: -answer) }
  }
}

/// The filter for threads of vCPUs, once the process is confined.
public enum VCPUThreadFilter {
  private static let program = Mutex<FilterProgram?>(nil)

  /// Has every thread of a vCPU that starts from now on filtered so.
  static func expect(_ program: FilterProgram) { self.program.withLock { $0 = program } }

  /// Confines the calling thread, which is to run a vCPU, if the process is confined. A thread for whose filter the kernel has no
  /// room keeps that of the process.
  public static func enter() {
    guard let program = program.withLock({ $0 }) else { return }
    try? program.apply()
  }
}
