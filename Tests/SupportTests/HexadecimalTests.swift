import Support
import Testing

@Suite struct HexadecimalTests {
  @Test(arguments: [("0x0", 0), ("0x1F", 0x1f), ("0xffffffffffffffff", UInt64.max)])
  func `a number is read with its prefix`(text: String, value: UInt64) {
    #expect(Hexadecimal.integer(text) == value)
  }

  @Test(arguments: ["", "0x", "12", "0x+1", "0x-1", "0x1_0", "0xg", "0x10000000000000000", " 0x1"])
  func `what is no number of at most 16 digits is refused`(text: String) {
    #expect(Hexadecimal.integer(text) == nil)
  }

  @Test func `bytes are written with two digits each and read back`() {
    #expect(Hexadecimal.text([0, 0x1f, 0xff]) == "001fff")
    #expect(Hexadecimal.bytes("001fFF") == [0, 0x1f, 0xff])
    #expect(Hexadecimal.bytes("001") == nil)
    #expect(Hexadecimal.bytes("+1") == nil)
  }

  @Test func `integers lie least significant byte first`() {
    let bytes: [UInt8] = [0xff, 0x01, 0x02, 0x03, 0x84]
    #expect(bytes.littleEndian(UInt32.self, at: 1) == 0x8403_0201)
    #expect(bytes.littleEndian(Int32.self, at: 1) == Int32(bitPattern: 0x8403_0201))
    #expect(bytes[1...].littleEndian(UInt16.self, at: 0) == 0x0201)
    #expect(bytes[2..<4].littleEndian == 0x0302)
    var written: [UInt8] = []
    written.appendLittleEndian(0x8403_0201 as UInt32)
    #expect(written == [1, 2, 3, 0x84])
  }

  @Test(arguments: [-1, 2, 5, .max])
  func `no integer is read past the bytes' end`(offset: Int) {
    #expect(([1, 2, 3, 4, 5] as [UInt8]).littleEndian(UInt32.self, at: offset) == nil)
  }
}
