import Debugger
import TestImages
import Testing
import VMM

/// Clients that gdb never is: each gets a clear answer or none, and the guest goes on unharmed.
@Suite(.needsKVM) struct BadClientTests {
  private let straight = Code(.long).then([UInt8](repeating: 0x90, count: 8)).debugExit(0)

  @Test func `a wrong checksum is asked for again, or told where nothing is acknowledged`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    client.send("$qC#00")
    #expect(try client.next() == .rejection)
    #expect(try client.ask("QStartNoAckMode") == "OK")
    client.send("$qC#00")
    #expect(try client.next() == .packet(Array("E.the packet's checksum is wrong".utf8)))
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a packet that is too long is told so, whatever its length`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.ask(String(repeating: "a", count: 1 << 20)) == "E.the packet is longer than 16384 bytes")
    #expect(try client.ask("c") == "W00")
  }

  @Test func `a packet is sent again when it is asked for, but not for ever`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    client.send(Packet.framed(Array("qC".utf8)))
    #expect(try client.next() == .acknowledgement)
    let answer = try client.next()
    client.send("-")
    #expect(try client.next() == answer)
    client.send(String(repeating: "-", count: 1000))
    #expect(try client.isClosed())
    #expect(debugged.end() == "the guest wrote 0 to the debug exit")
  }

  @Test func `a flood that nobody reads the answers of ends with the program`() throws {
    let debugged = try DebuggedMachine(Code(.long).spin())
    let client = try RemoteClient(to: debugged.address)
    #expect(try client.ask("QStartNoAckMode") == "OK")
    // Answers of 32 KiB each: they fill whatever is between the two.
    let packet = Packet.framed(Array("m100000,2000".utf8))
    client.send((0..<2000).flatMap { _ in packet })
    debugged.stop()
    #expect(debugged.end() == "the machine was stopped from outside")
  }

  @Test(arguments: 0..<20) func `random packets harm neither the debugger nor the next client`(seed: Int) throws {
    let debugged = try DebuggedMachine(Code(.long).spin())
    var generator = SeededGenerator(seed: UInt64(seed))
    do {
      let client = try RemoteClient(to: debugged.address)
      _ = try client.ask("QStartNoAckMode")
      let letters = Array("gGpPmMXZzHTcsCSvqQ?!\u{0}".utf8)
      let rest = Array("0123456789abcdef,;:=#}*-".utf8)
      for _ in 0..<100 {
        var body = [letters.randomElement(using: &generator) ?? 0]
        for _ in 0..<Int.random(in: 0...24, using: &generator) {
          body.append(rest.randomElement(using: &generator) ?? 0)
        }
        client.send(Packet.framed(body))
        if Int.random(in: 0..<8, using: &generator) == 0 { client.send([0x03]) }
      }
      client.send((0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
    // Refused as long as the first has not been noticed to have gone. A guest whose registers were written at random may
    // have ended.
    while debugged.machine.stop.reason == nil {
      do {
        let next = try RemoteClient(to: debugged.address)
        #expect(try next.ask("?").hasPrefix("T05thread:1;"))
        debugged.stop()
      } catch is RemoteClient.RemoteClientError {}
    }
    #expect(!debugged.end().hasPrefix("it has not ended"))
  }

  @Test func `what monitor shows has nothing in it that a terminal obeys`() throws {
    let debugged = try DebuggedMachine(straight)
    let client = try RemoteClient(to: debugged.address)
    // "lapic"
    let output = try client.ask("qRcmd,6c61706963")
    #expect(output.hasPrefix("O6c61706963206f662030"))
    #expect(!output.contains("1b"))
    #expect(try client.packet() == "OK")
    #expect(try client.ask("D") == "OK")
  }
}
