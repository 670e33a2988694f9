import Debugger
import KVM
import TestImages
import Testing
import VMM

/// A guest that debugs itself, while gdb looks on: its debug exceptions stay its own.
@Suite(.needsKVM) struct OwnExceptionTests {
  /// Which way a guest brings a debug exception upon itself.
  enum Cause: String, Hashable, Sendable, CaseIterable {
    /// It sets RFLAGS.TF.
    case trapFlag
    /// It puts the address of an instruction of its own into DR0.
    case debugRegister

    /// Code that has a handler for #DB, comes to one, and ends with the number of #DBs of that kind as its status.
    var code: Code {
      Code(.long).then(Self.setUp + (self == .trapFlag ? Self.settingTF : Self.settingDR0))
    }

    // mov esp, 0x8000; mov eax, cs; mov [gate + 2], ax; lidt [idtr], with the distances of the code that follows.
    private static let setUp: [UInt8] = [0xbc, 0x00, 0x80, 0x00, 0x00, 0x8c, 0xc8, 0x66, 0x89, 0x05]

    private static let settingTF: [UInt8] =
      [0x54, 0x00, 0x00, 0x00, 0x0f, 0x01, 0x1d, 0x3b, 0x00, 0x00, 0x00]
      // pushfq; or dword [rsp], TF; popfq; nop; nop
      + [0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d, 0x90, 0x90]
      // mov al, [hits]; out 0xf4, al; cli; hlt; jmp to the hlt
      + [0x8a, 0x05, 0x22, 0x00, 0x00, 0x00, 0xe6, 0xf4, 0xfa, 0xf4, 0xeb, 0xfd]
      // The handler: push rax; mov rax, dr6; test ah, BS; jz; and dword [rsp + 24], ~TF; inc byte [hits]; pop rax; iretq
      + [0x50, 0x0f, 0x21, 0xf0, 0xf6, 0xc4, 0x40, 0x74, 0x0e, 0x81, 0x64, 0x24, 0x18, 0xff, 0xfe, 0xff, 0xff]
      + [0xfe, 0x05, 0x05, 0x00, 0x00, 0x00, 0x58, 0x48, 0xcf, 0x66, 0x90]
      // hits; idtr, whose table begins 16 bytes before the one gate; the gate of vector 1
      + [0x00, 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00]
      + [0x1f, 0x00, 0x50, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00]
      + [0x2c, 0x00, 0x08, 0x00, 0x00, 0x8e, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]

    private static let settingDR0: [UInt8] =
      [0x5c, 0x00, 0x00, 0x00, 0x0f, 0x01, 0x1d, 0x43, 0x00, 0x00, 0x00]
      // lea rax, [place]; mov dr0, rax; mov eax, G0 and the bit that is always 1; mov dr7, rax; nop; place: nop
      + [0x48, 0x8d, 0x05, 0x0c, 0x00, 0x00, 0x00, 0x0f, 0x23, 0xc0, 0xb8, 0x02, 0x04, 0x00, 0x00, 0x0f, 0x23, 0xf8]
      + [0x90, 0x90]
      + [0x8a, 0x05, 0x21, 0x00, 0x00, 0x00, 0xe6, 0xf4, 0xfa, 0xf4, 0xeb, 0xfd]
      // The handler: push rax; mov rax, dr6; test al, B0; jz; or dword [rsp + 24], RF; inc byte [hits]; pop rax; iretq
      + [0x50, 0x0f, 0x21, 0xf0, 0xa8, 0x01, 0x74, 0x0e, 0x81, 0x4c, 0x24, 0x18, 0x00, 0x00, 0x01, 0x00]
      + [0xfe, 0x05, 0x05, 0x00, 0x00, 0x00, 0x58, 0x48, 0xcf, 0x66, 0x90]
      + [0x00, 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00]
      + [0x1f, 0x00, 0x58, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00]
      + [0x35, 0x00, 0x08, 0x00, 0x00, 0x8e, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]
  }

  /// How the guest ends that nobody looks at: what its back end makes of it.
  private func alone(_ cause: Cause) throws -> Outcome {
    let machine = try Machine(
      MachineConfiguration(), image: GuestImage(name: "test", bytes: ELFImage(code: cause.code.bytes).bytes),
      on: KVM.open(), console: Console())
    return try machine.run(limit: .seconds(30))
  }

  @Test(arguments: Cause.allCases)
  func `a guest's own debug exception is its own, with gdb as without`(cause: Cause) throws {
    let debugged = try DebuggedMachine(cause.code)
    #expect(try RemoteClient(to: debugged.address).ask("c").hasPrefix("W"))
    #expect(debugged.end() == "\(try alone(cause))")
  }

  @Test func `a guest's own single step is its own while gdb has the debug registers`() throws {
    let debugged = try DebuggedMachine(Cause.trapFlag.code)
    let client = try RemoteClient(to: debugged.address)
    // An address that the guest never comes to.
    let answer = try client.ask("Z1,180000,1")
    #expect(answer == "OK" || debugged.support.obstacleToHardwareBreakpoints != nil)
    #expect(try client.ask("c").hasPrefix("W"))
    #expect(debugged.end() == "\(try alone(.trapFlag))")
  }

  @Test(arguments: Cause.allCases)
  func `the guest's own debug registers and flags are what it left when gdb has gone`(cause: Cause) throws {
    let debugged = try DebuggedMachine(cause.code)
    do {
      let client = try RemoteClient(to: debugged.address)
      _ = try client.ask("Z1,180000,1")
      for _ in 0..<4 { _ = try client.ask("vCont;s:1") }
      #expect(try client.ask("D") == "OK")
    }
    #expect(debugged.end() == "\(try alone(cause))")
  }
}
