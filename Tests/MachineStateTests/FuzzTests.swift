import APIC
import BuiltInGuests
import JSON
import KVM
import MachineState
import SystemPackage
import TestImages
import Testing
import VMM

/// Mutated documents and memory files: each is refused with its place, or it is a state.
@Suite("Mutated snapshots") struct FuzzTests {
  private static let words = [
    "null", "true", "-1", "0", "4096", "18446744073709551616", "\"\"", "\"0x0\"", "\"0xffffffffffffffff\"",
    "\"0x10000\"", "[]", "{}", "1e9", "\"ff\"", "[[[[", "\"\\ud800\"",
  ]

  /// A document with up to four changes: of a byte, of a value, of a stretch that is cut out or doubled.
  private func mutate(_ text: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var text = text
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      guard text.count > 64 else { break }
      let place = Int.random(in: 0..<text.count - 32, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: text[place] = UInt8.random(in: 0...255, using: &generator)
      case 1: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2: text.removeSubrange(place..<place + Int.random(in: 1...32, using: &generator))
      case 3: text.insert(contentsOf: text[place..<place + 16], at: place)
      case 4: text.removeLast(Int.random(in: 1...text.count / 2, using: &generator))
      default:
        // A value in place of another: what comes after a colon or a comma, up to the next.
        guard let start = text[place...].firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ",") }),
          let end = text[(start + 1)...].firstIndex(where: { [0x2c, 0x0a, 0x5d, 0x7d].contains($0) })
        else { break }
        let word = Self.words.randomElement(using: &generator) ?? ""
        text.replaceSubrange(start + 1..<end, with: Array(word.utf8))
      }
    }
    return text
  }

  @Test func `a mutated document is a state or is refused`() throws {
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    let good = StateDocument(.madeUp()).text
    var refused = 0
    for round in 0..<1500 {
      let text = mutate(good, &generator)
      do throws(MalformedState) {
        let document = try StateDocument(text: text)
        // What was taken is written and taken again.
        let again = try StateDocument(text: document.text)
        #expect(again.state == document.state, "seed \(seed), round \(round)")
      } catch {
        refused += 1
        #expect(!error.problem.isEmpty)
      }
    }
    #expect(refused > 100, "seed \(seed)")
  }

  @Test func `mutated memory is refused, or its document was mutated too`() throws {
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    let folder = try TestFolder()
    let file = SnapshotFile(folder.path.appending("a.json"))
    try file.write(SnapshotFileTests.snapshot())
    let good = try folder.bytes(of: "a.json.memory")
    for round in 0..<300 {
      let bytes = mutate(good, &generator)
      guard bytes != good else { continue }
      try folder.write(bytes, to: "a.json.memory")
      do throws(SnapshotFileError) {
        let memory = try file.read().memory
        // What lies between the table and the pages, or after them, is nobody's.
        #expect(memory == SnapshotFileTests.snapshot().memory, "seed \(seed), round \(round)")
      } catch {
        #expect(error.description.contains("memory."), "seed \(seed), round \(round): \(error)")
      }
    }
  }

  @Test(Host.canRun) func `a mutated state is refused with its place or restored`() throws {
    let system = try #require(Host.system)
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    var configuration = MachineConfiguration()
    configuration.memory = 16 << 20
    let image = try #require(BuiltInGuest.named("timer")).image
    let machine = try Machine(configuration, image: image, on: system, console: Console())
    let running = try machine.start()
    machine.stop.wait(atMost: .milliseconds(8))
    let snapshot = try machine.snapshot()
    _ = running.finish()
    let good = StateDocument(snapshot.state).text
    _ = try StateDocument(text: good)
    // As it is, it goes on.
    _ = try Machine(restoring: snapshot, on: system, console: Console())
    var restored = 0
    var refusals: Set<String> = []
    for round in 0..<1500 where restored < 6 {
      guard let document = try? StateDocument(text: mutate(good, &generator)) else { continue }
      do throws(RestoreError) {
        let state = Snapshot(state: document.state, memory: snapshot.memory)
        let machine = try Machine(restoring: state, on: system, console: Console())
        restored += 1
        // It may do anything, but for this process.
        _ = try? machine.run(limit: .milliseconds(3))
      } catch {
        #expect(!error.description.isEmpty, "seed \(seed), round \(round)")
        refusals.insert(error.description)
      }
    }
    #expect(restored > 0, "seed \(seed): \(refusals.sorted().prefix(5))")
  }
}
