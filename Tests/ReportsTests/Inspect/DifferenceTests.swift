import APIC
import Foundation
import KVM
import MachineState
import Reports
import TestStates
import Testing
import VMM

/// What two states have different.
@Suite struct DifferenceTests {
  private func difference(_ change: (inout MachineState) -> Void) -> DifferenceReport {
    let before = MadeUpMachine.busy()
    var after = before
    change(&after)
    return DifferenceReport(before, after)
  }

  @Test func `a state is the same as itself`() {
    let report = difference { _ in }
    #expect(report.same)
    #expect(report.differences.isEmpty)
    #expect(report.text() == "the same state; memory was not compared")
  }

  @Test func `a register is told by its owner and name, with the words of the inspector`() throws {
    let report = difference { $0.vcpus[1].localAPIC.setLVT(.timer, to: .timer(0x42, mode: .oneShot, isMasked: true)) }
    #expect(!report.same)
    let difference = try #require(report.differences.first)
    #expect(report.differences.count == 1)
    #expect(difference.owner == "vCPU 1")
    #expect(difference.name == "LVT_TIMER")
    let inspected = Inspection(MadeUpMachine.busy()).registers(named: "LVT_TIMER").first { $0.owner == "vCPU 1" }
    #expect(difference.before?.value == inspected?.register.value)
    #expect(difference.before?.meaning == inspected?.register.meaning)
    #expect(difference.after?.value == "0x00010042")
    #expect(difference.after?.meaning == "Fixed 0x42, masked, one-shot")
  }

  @Test func `of sets it says what came and what went`() {
    let report = difference { $0.vcpus[0].localAPIC.interruptRequest = [0x31, 0x90] }
    #expect(report.text().contains("(+0x90 -0x70 -0x8b)"))
  }

  @Test func `what every capture has anew makes no difference, and is named`() {
    let report = difference {
      $0.vcpus[0].msrs[0].value += 1
      $0.vcpus[0].localAPIC.currentCount -= 1
      $0.vcpus[0].tscOffset = 5
      $0.time.hostTSC = 1
      $0.captured = 1
      $0.pit?.channel0.countLoadTime += 1
    }
    #expect(report.same)
    #expect(report.differences.count == 6)
    #expect(report.text().contains("anew in every capture: vCPU 0 CURRENT_COUNT, vCPU 0 "))
    #expect(!report.text().contains("->"))
    #expect(report.text(showsAll: true).contains("0x0003d090 (250000) -> 0x0003d08f (249999)"))
  }

  @Test func `a register that one of them does not have is a difference`() {
    let report = difference { $0.settings.bootCPU = 1 }
    #expect(report.differences.map(\.name) == ["BOOT_CPU"])
    #expect(report.differences[0].before == nil)
    #expect(report.text().contains("1, which the first state does not have"))
    let route = difference { _ = $0.settings.routes?.removeLast() }
    #expect(route.text().contains("which the second state does not have"))
    let vcpu = difference { _ = $0.vcpus.removeLast() }
    #expect(vcpu.differences.contains { $0.owner == "vCPU 1" })
    let chip = difference { $0.pit = nil }
    #expect(chip.differences.contains { $0.owner == "PIT" })
  }

  @Test func `pages are compared register by register, words without a name included`() {
    var before = MadeUpMachine.busy().vcpus[0].localAPIC
    let after = before
    before.taskPriority = 0x30
    before.registers[1] = 0xdead
    let report = DifferenceReport(page: before, after)
    #expect(report.differences.map(\.name) == ["TPR", "PAGE_0x004"])
    #expect(DifferenceReport(page: after, after).same)
  }

  @Test func `every field of a state has a name`() throws {
    let before = MachineStateLeaves(StateDocument(Self.full()).text)
    let state = try StateDocument(text: try #require(before.text(changing: nil))).state
    var changed = 0
    for index in before.leaves.indices {
      guard let text = before.text(changing: index), let other = try? StateDocument(text: text).state else { continue }
      // What the reader leaves out is no change of the state.
      guard state != other else { continue }
      changed += 1
      #expect(!DifferenceReport(state, other).differences.isEmpty, "no register shows \(before.leaves[index].path)")
    }
    // Fields that say the same thing twice can only be changed together, which the reader insists on.
    #expect(changed > before.leaves.count / 2)
  }

  /// A state with something in every optional field.
  private static func full() -> MachineState {
    var state = MadeUpMachine.state(vcpus: 1)
    state.settings.routes = [
      .msi(gsi: 24, MSIMessage(vector: 0x70, destination: .physical(0))), .irqChip(gsi: 4, chip: .ioapic, pin: 4),
      .irqChip(gsi: 4, chip: .picMaster, pin: 4),
    ]
    state.irqfds = [IRQFDState(gsi: 24)]
    state.captured = 5
    state.configuration.loadAddress = 0x7c00
    state.settings.bootCPU = 0
    state.settings.tssAddress = 0xfffb_d000
    state.settings.identityMapAddress = 0xfffb_c000
    state.settings.tscKHz = 2_000_000
    state.settings.msrFilter = MSRFilter(ranges: [.init(base: 0x10, allows: [true, false])])
    state.time.clock = ClockState(nanoseconds: 5, realtime: 6, hostTSC: 7, isStable: true)
    state.irqfds[0].resamplePending = 1
    state.ioEvents = [IOEventState(address: .mmio(0xd000_0000)), IOEventState(address: .port(0x500))]
    state.ioEvents[0].length = 4
    state.ioEvents[0].match = 7
    state.vcpus[0].events.smi = VCPUEvents.SMI()
    state.vcpus[0].events.sipiVector = 9
    state.vcpus[0].events.tripleFault = false
    state.vcpus[0].events.exception.errorCode = 1
    state.vcpus[0].events.exception.payload = 2
    state.vcpus[0].specialRegisters.pageDirectoryPointers = [1, 2, 3, 4]
    state.vcpus[0].cpuid = [CPUIDEntry(function: 1, index: 2, hasSignificantIndex: true, eax: 3)]
    state.vcpus[0].nestedState = [1, 2]
    state.vcpus[0].tscOffset = 3
    state.vcpus[0].settings.capabilities = [.init(.hypervSynIC, [0, 0, 0, 0])]
    return state
  }
}

/// A state's document, each scalar of which can be changed by itself.
private struct MachineStateLeaves {
  struct Leaf {
    let path: String
    let keys: [Key]
  }

  enum Key {
    case member(String)
    case element(Int)
  }

  private let root: Any?
  private(set) var leaves: [Leaf] = []

  init(_ text: [UInt8]) {
    root = try? JSONSerialization.jsonObject(with: Data(text))
    if let root { collect(root, [], "") }
  }

  private mutating func collect(_ value: Any, _ keys: [Key], _ path: String) {
    if let members = value as? [String: Any] {
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        collect(member, keys + [.member(name)], "\(path).\(name)")
      }
    } else if let elements = value as? [Any] {
      for (index, element) in elements.enumerated() { collect(element, keys + [.element(index)], "\(path)[\(index)]") }
    } else {
      leaves.append(Leaf(path: path, keys: keys))
    }
  }

  /// The document with another value in a leaf, or in none; nil for a leaf that cannot have another value of its kind.
  ///
  /// Members come in the order of their names, those without an order of their own too.
  func text(changing index: Int?) -> [UInt8]? {
    guard let root, let changed = index.map({ Self.change(root, leaves[$0].keys[...]) }) ?? root else { return nil }
    return (try? JSONSerialization.data(withJSONObject: changed, options: .sortedKeys)).map(Array.init)
  }

  private static func change(_ value: Any, _ keys: ArraySlice<Key>) -> Any? {
    guard let key = keys.first else { return changed(value) }
    switch key {
    case .member(let name):
      guard var members = value as? [String: Any], let member = members[name] else { return nil }
      guard let other = change(member, keys.dropFirst()) else { return nil }
      members[name] = other
      return members
    case .element(let index):
      guard var elements = value as? [Any], let other = change(elements[index], keys.dropFirst()) else { return nil }
      elements[index] = other
      return elements
    }
  }

  private static func changed(_ value: Any) -> Any? {
    if let text = value as? String {
      // The last digit of a number or of bytes; any other text gets longer.
      if let last = text.last, last.isHexDigit { return text.dropLast() + (last == "1" ? "2" : "1") }
      return text + "x"
    }
    guard let number = value as? NSNumber else { return nil }
    if isBoolean(number) { return !number.boolValue }
    return number.int64Value == 0 ? 1 : number.int64Value - 1
  }

  /// Foundation reads a boolean as a number, of a type that no JSON number gets.
  private static func isBoolean(_ number: NSNumber) -> Bool {
    // Sound: the type is a string that lives as long as the program.
    unsafe String(cString: number.objCType) == "c"
  }
}
