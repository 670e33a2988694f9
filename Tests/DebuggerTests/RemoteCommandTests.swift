import Debugger
import TestImages
import Testing

@Suite struct RemoteCommandTests {
  private func command(_ text: String) -> RemoteCommand { RemoteCommand(Array(text.utf8)) }

  @Test func `the packets of gdb are understood`() {
    let expected: [(String, RemoteCommand)] = [
      ("?", .stopReason), ("g", .readRegisters), ("G00ff", .writeRegisters([0x00, 0xff])), ("p10", .readRegister(16)),
      ("P10=0010100000000000", .writeRegister(16, [0, 0x10, 0x10, 0, 0, 0, 0, 0])),
      ("m101000,40", .readMemory(address: 0x10_1000, count: 0x40)),
      ("M1000,2:cc90", .writeMemory(address: 0x1000, [0xcc, 0x90])),
      ("X1000,0:", .writeMemory(address: 0x1000, [])), ("X1000,2:ab", .writeMemory(address: 0x1000, [0x61, 0x62])),
      ("Z0,101000,1", .insertBreakpoint(.software, address: 0x10_1000, size: 1)),
      ("z4,ffffffffffffffff,8", .removeBreakpoint(.accessWatch, address: .max, size: 8)),
      ("Hg0", .selectForAccess(.any)), ("Hg2", .selectForAccess(.one(1))), ("Hc-1", .selectForResume(.all)),
      ("T2", .isThreadAlive(.one(1))), ("c", .resumeSelected(isStep: false, address: nil)),
      ("s1000", .resumeSelected(isStep: true, address: 0x1000)),
      ("C05;1000", .resumeSelected(isStep: false, address: 0x1000)), ("k", .kill), ("vKill;1", .killProcess),
      ("D", .detach), ("vCont?", .resumeKinds), ("QStartNoAckMode", .startNoAckMode), ("qfThreadInfo", .firstThreads),
      ("qsThreadInfo", .moreThreads), ("qC", .currentThread), ("qThreadExtraInfo,1", .threadDescription(.one(0))),
      ("qSupported:swbreak+;xmlRegisters=i386", .features(["swbreak+", "xmlRegisters=i386"])),
      ("qXfer:features:read:target.xml:0,ffb", .targetDescription(annex: "target.xml", offset: 0, count: 0xffb)),
      ("qRcmd,6e657874", .monitor("next")), ("qAttached", .isAttached), ("qCRC:1000,4", .unknown),
      ("vMustReplyEmpty", .unknown), ("qSymbol::", .unknown), ("", .unknown), ("!", .unknown),
    ]
    for (text, command) in expected { #expect(self.command(text) == command, "\(text)") }
  }

  @Test func `the actions of vCont are in their order, with signals that mean nothing here`() {
    #expect(
      command("vCont;s:2;C05:1;t:3;c")
        == .resume([
          ResumeAction(.step, .one(1)), ResumeAction(.resume, .one(0)), ResumeAction(.stop, .one(2)),
          ResumeAction(.resume),
        ]))
  }

  @Test(
    arguments: [
      "m", "m1000", "m1000,", "m,4", "m1000,4x", "m10000000000000000,1", "M1000,2:cc", "M1000,1:c", "M1000,1:zz",
      "X1000,2:a", "G0", "P10", "P=00", "p", "Z5,0,1", "Z0,1000", "Z0,1000,1;X1,90", "Hx1", "Hg", "Hg1x", "Tx", "vCont",
      "vCont;", "vCont;x", "vCont;c:p1.1", "vCont;c:1:2", "qRcmd,6", "qXfer:features:read:target.xml:0", "C",
    ])
  func `fields that mean nothing are malformed`(text: String) { #expect(command(text) == .malformed) }

  @Test(arguments: 0..<50) func `damage to a packet is never more than another packet`(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let packets = [
      "vCont;s:1;c:-1", "Z0,101000,1", "m101000,40", "P10=0010100000000000", "qXfer:features:read:target.xml:0,ffb",
      "X1000,4:abcd", "qRcmd,68656c70", "Hg1",
    ]
    for packet in packets {
      for _ in 0..<200 {
        var bytes = Array(packet.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
          let place = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<3, using: &generator) {
          case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
          case 1 where bytes.count > 1: bytes.remove(at: place)
          default: bytes.insert(bytes[place], at: place)
          }
        }
        _ = RemoteCommand(bytes)
      }
    }
  }

  @Test func `commands of monitor are words, whatever their case`() {
    #expect(MonitorCommand("LAPIC") == .show(.lapic))
    #expect(MonitorCommand(" step-interrupts  on ") == .stepInterrupts(true))
    #expect(MonitorCommand("step-interrupts") == .stepInterrupts(nil))
    #expect(MonitorCommand("") == .help)
    for text in ["lapic 1", "step-interrupts maybe", "quit", "\u{1b}[31m"] { #expect(MonitorCommand(text) == .unknown) }
  }
}
