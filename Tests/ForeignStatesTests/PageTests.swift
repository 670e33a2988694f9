import APIC
import ForeignStates
import KVM
import MachineState
import TestStates
import Testing

/// Register pages of local APICs.
@Suite struct PageTests {
  private let pages = MadeUpMachine.busy().vcpus.map(\.localAPIC)

  private func read(_ bytes: [UInt8], as source: StateSource? = nil) throws -> [LocalAPICState] {
    var reader = StateReader(ByteSource(bytes), as: source)
    let state = try reader.read().state
    #expect(state.format == .pages)
    return state.vcpus.map(\.values.localAPIC)
  }

  private func whole(_ page: LocalAPICState) -> [UInt8] { page.bytes + [UInt8](repeating: 0, count: 3072) }

  @Test func `pages of either size are told apart`() throws {
    #expect(try read(pages[0].bytes) == [pages[0]])
    #expect(try read(pages.flatMap(\.bytes)) == pages)
    #expect(try read(pages.flatMap(whole)) == pages)
    #expect(try read((pages + pages).flatMap(\.bytes)) == pages + pages)
    #expect(try read(whole(pages[1]), as: .apicPage) == [pages[1]])
  }

  @Test func `what is ambiguous is asked for`() throws {
    let blank = [UInt8](repeating: 0, count: 3000) + [1] + [UInt8](repeating: 0, count: 1095)
    let error = try #require(throws: ForeignStateError.self) { try read(blank) }
    #expect(error.problem.contains("--from"))
    #expect(throws: ForeignStateError.self) { try read(pages[0].bytes.dropLast(), as: .page) }
  }

  @Test(arguments: ["xxd", "hexdump -C", "hexdump", "od -t x1", "od -x", "plain", "string"])
  func `a hex dump is read`(form: String) throws {
    let bytes = pages[0].bytes
    func hex(_ value: Int, _ digits: Int, radix: Int = 16) -> String {
      let text = String(value, radix: radix)
      return String(repeating: "0", count: max(digits - text.count, 0)) + text
    }
    var text = form == "string" ? "\"" : ""
    for start in stride(from: 0, to: bytes.count, by: 16) {
      let row = bytes[start..<start + 16].map { hex(Int($0), 2) }
      let pairs = stride(from: 0, to: 16, by: 2)
      switch form {
      case "xxd":
        text += "\(hex(start, 8)): \(pairs.map { row[$0] + row[$0 + 1] }.joined(separator: " "))  ................\n"
      case "hexdump -C":
        text += "\(hex(start, 8))  \(row[..<8].joined(separator: " "))  \(row[8...].joined(separator: " "))  |......|\n"
      case "hexdump": text += "\(hex(start, 7)) \(pairs.map { row[$0 + 1] + row[$0] }.joined(separator: " "))\n"
      case "od -t x1": text += "\(hex(start, 7, radix: 8)) \(row.joined(separator: " "))\n"
      case "od -x":
        text += "\(hex(start, 7, radix: 8)) \(pairs.map { row[$0 + 1] + row[$0] }.joined(separator: " "))\n"
      default: text += row.joined()
      }
    }
    if form == "string" { text += "\"" }
    #expect(try read(Array(text.utf8)) == [pages[0]])
  }

  @Test func `a line of a dump that stands for many is`() throws {
    let text = "00000000  " + String(repeating: "00 ", count: 16) + " |................|\n*\n00000400\n"
    #expect(try read(Array(text.utf8), as: .page) == [LocalAPICState()])
    // As od writes it, whose offsets are octal: the first two lines of a page are alike.
    var page = LocalAPICState()
    page[.version] = 0x14
    let zeros = Array(repeating: "00", count: 16).joined(separator: " ")
    let octal = "0000000 \(zeros)\n*\n0000060 14 \(zeros.dropLast(3))\n0000100 \(zeros)\n*\n0002000\n"
    #expect(try read(Array(octal.utf8)) == [page])
  }

  @Test func `any bytes are read or refused`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let count = Int.random(in: 0...5000, using: &generator)
      let isText = Bool.random(using: &generator)
      let bytes = (0..<count).map { _ in UInt8.random(in: isText ? 0x20...0x66 : 0...255, using: &generator) }
      for source in [nil] + StateSource.allCases.map({ Optional($0) }) {
        var reader = StateReader(ByteSource(bytes), as: source)
        _ = try? reader.read()
      }
    }
  }
}
