import Debugger
import TestImages
import Testing

@Suite struct PacketTests {
  private func events(_ text: String, limit: Int = Packet.sizeLimit) -> [PacketParser.Event] {
    var parser = PacketParser(limit: limit)
    return text.utf8.compactMap { parser.take($0) }
  }

  @Test func `a packet is framed by its checksum, with its special bytes escaped`() {
    #expect(Packet.framed(Array("OK".utf8)) == Array("$OK#9a".utf8))
    #expect(Packet.framed([]) == Array("$#00".utf8))
    #expect(Packet.framed(Array("#$}*".utf8)) == Array("$}\u{03}}\u{04}}]}\u{0a}#62".utf8))
  }

  @Test func `what is framed is taken apart again, whatever its bytes are`() {
    let body = (0...255).map { UInt8($0) }
    var parser = PacketParser()
    #expect(Packet.framed(body).compactMap { parser.take($0) } == [.packet(body)])
  }

  @Test func `acknowledgements, rejections and Ctrl-C come between packets`() {
    #expect(
      events("+$g#67-\u{03}$?#3f") == [
        .acknowledgement, .packet(Array("g".utf8)), .rejection, .interrupt, .packet(Array("?".utf8)),
      ])
  }

  @Test func `other bytes between packets mean nothing`() { #expect(events("abc\n#67$g#67") == [.packet([0x67])]) }

  @Test(arguments: ["$g#68", "$g#6x", "$g#  ", "$ab}#9f", "$#01"])
  func `a wrong checksum, digits that are none and half an escape are damage`(text: String) {
    #expect(events(text) == [.damaged])
  }

  @Test func `a packet that has lost its end makes room for the next`() {
    #expect(events("$m1000,4$g#67") == [.packet([0x67])])
  }

  @Test func `a packet that is too long is passed over, and the next one counts`() {
    let long = String(decoding: Packet.framed([UInt8](repeating: 0x61, count: 17)), as: UTF8.self)
    let fits = String(decoding: Packet.framed([UInt8](repeating: 0x61, count: 16)), as: UTF8.self)
    #expect(events(long + "$g#67", limit: 16) == [.tooLong, .packet([0x67])])
    #expect(events(fits, limit: 16) == [.packet([UInt8](repeating: 0x61, count: 16))])
  }

  @Test(arguments: 0..<200)
  func `random bytes neither stop the parser nor keep a packet after them from being taken`(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var parser = PacketParser(limit: 64)
    let special = Array("$#}+-\u{03}".utf8)
    for _ in 0..<2000 {
      // Special bytes come often.
      let byte =
        Bool.random(using: &generator)
        ? special.randomElement(using: &generator) ?? 0 : UInt8.random(in: 0...255, using: &generator)
      if case .packet(let body)? = parser.take(byte) { _ = RemoteCommand(body) }
    }
    // Two ends of whatever is open.
    for byte in Array("#00#00".utf8) { _ = parser.take(byte) }
    #expect(Packet.framed([0x67]).compactMap { parser.take($0) } == [.packet([0x67])])
  }
}
