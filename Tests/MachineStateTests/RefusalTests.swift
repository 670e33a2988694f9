import APIC
import JSON
import KVM
import MachineState
import Testing
import VMM

/// What a document says and what is said about it.
@Suite("Documents that are refused") struct RefusalTests {
  /// The error for a document in which text was replaced.
  private func error(replacing old: String, with new: String) throws -> String {
    let text = String(decoding: StateDocument(.madeUp()).text, as: UTF8.self)
    let range = try #require(text.firstRange(of: old), "no \(old) in the document")
    let changed = text.replacingCharacters(in: range, with: new)
    do throws(MalformedState) {
      _ = try StateDocument(text: Array(changed.utf8))
      return ""
    } catch {
      return error.description
    }
  }

  @Test(arguments: [
    ("\"rip\": \"0xffffffffffffffff\"", "\"rip\": \"0x1ffffffffffffffff\"", "vcpus[0].registers.rip: a number"),
    ("\"rip\"", "\"nip\"", "vcpus[0].registers.rip: it is missing"),
    ("\"mpState\": \"halted\"", "\"mpState\": \"asleep\"", "vcpus[1].mpState: one of"),
    ("\"priorityAdd\": \"0x0\"", "\"priorityAdd\": \"0x8\"", "pic.master.priorityAdd: 0x8 is above 0x7"),
    ("\"shadow\": \"0x2\"", "\"shadow\": \"0x4\"", "vcpus[0].events.interrupt.shadow: 0x4 is above 0x3"),
    ("\"pending\": 2", "\"pending\": 3", "vcpus[0].events.nmi.pending: 3 is not from 0 to 2"),
    ("\"id\": \"0x1\"", "\"id\": \"0x2\"", "vcpus[1].id: 1 expected, not 2"),
    ("\"irqchip\": \"kernel\"", "\"irqchip\": \"split\"", "settings.irqchip: the machine's irqchip is split"),
    ("\"gsi\": 24, \"msi", "\"gsi\": 4096, \"msi", "routes[40].gsi: 4096 is not from 0 to 4095"),
    ("\"pin\": 23", "\"pin\": 24", "routes[23].pin: 24 is not from 0 to 23"),
    ("\"vcpus\": 2", "\"vcpus\": 3", "vcpus: 3 vCPUs expected, not 2"),
    ("\"vcpus\": 2", "\"vcpus\": 0", "machine.vcpus: 0 is not from 1 to 4096"),
    ("\"cr8\": \"0x4\"", "\"cr8\": \"0x5\"", "vcpus[0].specialRegisters.cr8: it differs from the task priority"),
    ("\"memory\": \"0x4000000\"", "\"memory\": \"0x4000001\"", "machine.memory: a multiple of 4096"),
    ("\"size\": \"0x4000000\"", "\"size\": \"0x5000000\"", "memory.size: 67108864 bytes expected"),
    ("\"ready\"", "\"reedy\"", "devices[1].fields.ready: it is missing"),
    ("\"name\": \"serial\"", "\"name\": \"cereal\"", "devices[0]: this machine has no device 'cereal'"),
    ("\"length\": 4", "\"length\": 3", "ioEvents[0].length: 0, 1, 2, 4 or 8 expected"),
    ("false, \"event\": null", "false, \"event\": 0", "irqfds[1].event: KVM takes an event for one irqfd"),
    ("\"0x0\", \"event\": 0", "\"0x1\", \"event\": 0", "ioEvents[1].pending: what waits in a shared event"),
    ("\"event\": 0", "\"event\": 5000", "irqfds[0].event: 5000 is not from 0 to 4096"),
    ("\"0x1b\": \"0xfee00d00\"", "\"0x1b\": \"0xfee00900\"", "vcpus[0].msrs.0x1b: it differs"),
    ("\"0x1b\":", "\"0x10 \":", "vcpus[0].msrs.0x10 : a register's name is its number"),
    ("\"0x0 0xb", "\"0x0 0xbb 0", "cpuid[0]: a leaf such as"),
    ("\"0x10\": ", "\"0x1b\": 1, \"0x1b\": ", "the member '0x1b' is there twice"),
    ("\"version\": \"1.4\"", "\"version\": \"2.0\"", "version: version 2.0 cannot be read: this program reads 1.x"),
    ("\"version\": \"1.4\"", "\"version\": \"one\"", "version: a version such as"),
    ("\"number\": 129", "\"number\": 82", "settings.capabilities[0]: a state may not enable"),
    (
      "\"arguments\": [\"0x3\", \"0x0\"", "\"arguments\": [\"0x3\", \"0x7\"",
      "capabilities[0].arguments[1]: 0x7 is not 0"
    ),
    ("\"bootCPU\": null", "\"bootCPU\": \"0x7fffffff\"", "settings.bootCPU: the id of a vCPU expected, not 0x7fffffff"),
    ("\"0xfffbd000\"", "\"0xfffffff0\"", "settings.tssAddress: a multiple of 4096 up to 0xffffd000 expected"),
    ("\"0xfffbd000\"", "\"0xffffe000\"", "settings.tssAddress: a multiple of 4096 up to 0xffffd000 expected"),
    ("\"0xfffbd000\"", "\"0x10000\"", "settings.tssAddress: 0x10000 is guest memory"),
    (
      "\"identityMapAddress\": null", "\"identityMapAddress\": \"0x100000000\"",
      "settings.identityMapAddress: a multiple of 4096 up to 0xfffff000 expected"
    ),
    ("\"tscKHz\": null", "\"tscKHz\": \"0xffffffff\"", "settings.tscKHz: 0xffffffff is above 0x7fffffff"),
    ("\"tscKHz\": 2000000", "\"tscKHz\": 4294967295", "vcpus[0].tscKHz: 4294967295 is not from 1 to 2147483647"),
    ("\"tscKHz\": 2000000", "\"tscKHz\": 0", "vcpus[0].tscKHz: 0 is not from 1 to 2147483647"),
    ("\"size\": 4096", "\"size\": 1048576", "vcpus[0].xsave.size: 1048576 is not from 4096 to 16384"),
    ("\"version\": \"1.4\"", "\"version\": \"+1.4\"", "version: a version such as"),
    ("\"0xb/1 ", "\"0xb/+1 ", "cpuid[1]: a leaf such as"),
    ("lapwing.machine-state", "somebody.else", "format: a document of the format"),
    ("{", "", "no JSON"),
  ])
  func `a field that cannot be is refused with its path`(_ old: String, _ new: String, _ said: String) throws {
    let error = try error(replacing: old, with: new)
    #expect(error.contains(said), "\(error)")
  }

  @Test func `a local APIC page of another size is refused`() throws {
    let state = MachineState.madeUp()
    let text = String(decoding: StateDocument(state).text, as: UTF8.self)
    let start = try #require(text.ranges(of: "\"localAPIC\": \"").last).upperBound
    let end = text.index(start, offsetBy: 48)
    let changed = text.replacingCharacters(in: start..<end, with: "")
    #expect(throws: MalformedState("1024 bytes expected, not 1000", at: "vcpus[1].localAPIC")) {
      try StateDocument(text: Array(changed.utf8))
    }
  }

  @Test func `members of a newer minor version are left out and noted`() throws {
    let text = String(decoding: StateDocument(.madeUp()).text, as: UTF8.self)
      .replacing("\"version\": \"1.4\"", with: "\"version\": \"1.7\", \"mood\": {\"good\": true}")
      .replacing("\"rax\":", with: "\"apx\": \"0x1\", \"rax\":")
    let document = try StateDocument(text: Array(text.utf8))
    #expect(document.version.description == "1.7")
    #expect(document.unknownMembers == ["vcpus[0].registers.apx", "vcpus[1].registers.apx", "mood"])
    #expect(document.state == .madeUp())
  }

  @Test func `a document of version 1 point 0 knows nothing of shared events`() throws {
    var state = MachineState.madeUp()
    state.irqfds[0].event = nil
    state.ioEvents[1].event = nil
    let text = String(decoding: StateDocument(state).text, as: UTF8.self)
      .replacing("\"version\": \"1.4\"", with: "\"version\": \"1.0\"").replacing(", \"event\": null", with: "")
      .replacing("isOwnedByVMM", with: "isMachines")
    let document = try StateDocument(text: Array(text.utf8))
    #expect(document.version.description == "1.0")
    #expect(document.unknownMembers.isEmpty)
    #expect(document.state == state)
  }

  @Test func `a page of a local APIC is 1024 bytes`() throws {
    var page = LocalAPICState()
    page.setLVT(.timer, to: .timer(0x40, mode: .periodic))
    page.interruptRequest = [0x20, 0xfe]
    #expect(try LocalAPICState(page: page.bytes) == page)
    #expect(page.bytes.count == 1024)
    #expect(throws: MalformedState("1024 bytes expected, not 3")) { try LocalAPICState(page: [1, 2, 3]) }
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + self[range.upperBound...]
  }
}
