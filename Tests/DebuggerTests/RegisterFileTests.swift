import Debugger
import KVM
import Testing

@Suite struct RegisterFileTests {
  @Test func `a register's number is its place in the description`() {
    let text = TargetDescription.text
    let names = text.split(separator: "\n").compactMap { line -> Substring? in
      guard line.hasPrefix("<reg name=\"") else { return nil }
      return line.dropFirst(11).prefix { $0 != "\"" }
    }
    #expect(names.prefix(4) == ["rax", "rbx", "rcx", "rdx"])
    #expect(names[16] == "rip")
    #expect(names[17] == "eflags")
    #expect(names[24] == "st0")
    #expect(names[56] == "mxcsr")
    #expect(names[57] == "fs_base")
    var file = RegisterFile()
    file.special.cs.l = 1
    file.general.rip = 0x1234_5678_9abc_def0
    file.special.fs.base = 7
    #expect(file[16] == [0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12])
    #expect(file[57] == [7, 0, 0, 0, 0, 0, 0, 0])
    #expect(file[names.count - 1] != nil)
    #expect(file[names.count] == nil)
    #expect(file[-1] == nil)
  }

  @Test func `every register that may be changed is, alone`() throws {
    var count = 0
    for number in 0... {
      var file = RegisterFile()
      guard let old = file[number] else { break }
      let new = old.map { ~$0 }
      do throws(RegisterFile.Refusal) {
        try file.set(number, new)
      } catch {
        guard case .readOnly = error else {
          Issue.record("register \(number): \(error)")
          continue
        }
        continue
      }
      count += 1
      var expected = RegisterFile().bytes
      #expect(file.bytes != expected, "register \(number)")
      // The others are as they were, but for the tags, which follow from other registers.
      if let changed = file[number], !(24...39).contains(number) {
        #expect(changed.prefix(2) == new.prefix(2), "register \(number)")
        expected = RegisterFile().bytes
        #expect(zip(file.bytes, expected).filter { $0 != $1 }.count <= new.count, "register \(number)")
      }
    }
    #expect(count > 50)
  }

  @Test func `all registers at once come back as they were`() throws {
    var file = RegisterFile()
    file.general.rax = 1
    file.special.cr3 = 0x1000
    file.fpu.ftwx = 0xff
    let bytes = file.bytes
    try file.set(all: bytes)
    #expect(file.bytes == bytes)
    #expect(throws: RegisterFile.Refusal.self) { try file.set(all: bytes + [0]) }
  }

  @Test func `a selector and a register of another size are refused, with the reason`() {
    var file = RegisterFile()
    #expect(throws: RegisterFile.Refusal.readOnly("cs")) { try file.set(18, [8, 0, 0, 0]) }
    #expect(throws: RegisterFile.Refusal.size(8)) { try file.set(0, [8]) }
    #expect(throws: RegisterFile.Refusal.unknown) { try file.set(1000, [8]) }
  }

  @Test func `tags are made of what the x87 registers hold`() throws {
    var file = RegisterFile()
    #expect(file[34] == [0xff, 0xff, 0, 0])
    // ST0 is 1.0, ST1 is 0, ST2 a NaN; the stack's top is 5.
    file.fpu.fsw = 5 << 11
    file.fpu.ftwx = 0b1110_0000
    file.fpu.fpr[7] = 0x80
    file.fpu.fpr[8] = 0xff
    file.fpu.fpr[9] = 0x3f
    file.fpu.fpr[32 + 7] = 0xc0
    file.fpu.fpr[32 + 8] = 0xff
    file.fpu.fpr[32 + 9] = 0x7f
    #expect(file[34] == [0xff, 0b10_01_00_11, 0, 0])
    try file.set(34, [0xff, 0xff, 0, 0])
    #expect(file.fpu.ftwx == 0)
  }

  @Test func `the linear address of an instruction has the code segment's base outside of 64-bit mode`() {
    var file = RegisterFile()
    file.general.rip = 0x10
    file.special.cs.base = 0xffff_0000
    #expect(file.linearPC == 0xffff_0010)
    #expect(file[16] == [0x10, 0, 0xff, 0xff, 0, 0, 0, 0])
    file.linearPC = 0xffff_0020
    #expect(file.general.rip == 0x20)
    file.general.rip = 0x10
    file.special.cs.l = 1
    #expect(file.linearPC == 0x10)
  }
}
