import APIC
import BuiltInGuests
import Testing

@testable import VMM

/// Every built-in guest on every machine that makes a difference to it.
@Suite(.needsKVM) struct BuiltInGuestTests {
  /// A machine, by what can be chosen of it.
  struct Choice: CustomTestStringConvertible, Sendable {
    var vcpus: Int
    var irqChip: MachineConfiguration.IRQChip
    var apic: MachineConfiguration.APIC
    var start: MachineConfiguration.Start
    var testDescription: String { "\(vcpus) vCPUs, \(irqChip) irqchip, \(apic), \(start)" }

    func apply(_ configuration: inout MachineConfiguration) {
      configuration.vcpus = vcpus
      configuration.irqChip = irqChip
      configuration.apic = apic
      configuration.start = start
    }

    /// Who starts application processors matters only where there are some.
    static func all(_ counts: [Int]) -> [Choice] {
      var all: [Choice] = []
      for vcpus in counts {
        for irqChip in MachineConfiguration.IRQChip.allCases {
          for apic in MachineConfiguration.APIC.allCases {
            for start in vcpus > 1 ? MachineConfiguration.Start.allCases : [.sipi] {
              all.append(Choice(vcpus: vcpus, irqChip: irqChip, apic: apic, start: start))
            }
          }
        }
      }
      return all
    }
  }

  /// How often each vCPU recorded each vector.
  typealias Counts = [Vector: [Int: Int]]

  private func run(_ guest: String, _ choice: Choice) throws -> (run: Run, counts: Counts) {
    let image = try #require(BuiltInGuest.named(guest)).image
    let run = try Run(image) { choice.apply(&$0) }
    #expect(run.ending == "the guest finished")
    #expect(run.failedChecks == [])
    #expect(run.machine.log.droppedRecords == 0)
    #expect(run.machine.unclaimedAccesses.allSatisfy { $0.accesses.count == 0 })
    var counts: Counts = [:]
    for record in run.records {
      switch record.event {
      case .interrupt(let vector, _): counts[vector, default: [:]][record.vcpu, default: 0] += 1
      case .exception, .unknown: Issue.record("\(record)")
      case .check, .mark, .value: break
      }
    }
    return (run, counts)
  }

  @Test(arguments: Choice.all([1, 2]))
  func `hello prints and interrupts itself once`(choice: Choice) throws {
    let (run, counts) = try run("hello", choice)
    #expect(run.machine.console.text == "Hello from ring 0.\n")
    #expect(counts == [0x30: [0: 1]])
    #expect(run.machine.firstInstruction != nil)
  }

  @Test(arguments: Choice.all([1, 2, 4]))
  func `ipi reaches every vCPU as often as it is sent to`(choice: Choice) throws {
    let (_, counts) = try run("ipi", choice)
    let all = Dictionary(uniqueKeysWithValues: (0..<choice.vcpus).map { ($0, 1) })
    let others = all.filter { $0.key > 0 }
    let alone: Counts = [0x40: [0: 1]]
    let together: Counts = [0x40: [0: 1], 0x50: others, 0x60: others, 0x70: all, 0x80: others]
    #expect(counts == (choice.vcpus == 1 ? alone : together))
  }

  @Test(arguments: Choice.all([1, 2]))
  func `msi takes one message and ten irqfd writes`(choice: Choice) throws {
    let (run, counts) = try run("msi", choice)
    #expect(counts == [0x42: [0: 1], 0x52: [0: 10]])
    #expect(run.machine.progress.isReady)
  }

  @Test(arguments: Choice.all([1, 2]))
  func `timer fires once, again and again, and at its deadline`(choice: Choice) throws {
    let (_, counts) = try run("timer", choice)
    #expect(counts[0x41] == [0: 1])
    #expect(try #require(counts[0x51]?[0]) >= 5)
    #expect(counts[0x61] == [0: 1])
    #expect(counts.count == 3)
  }

  @Test(arguments: Choice.all([1, 2]))
  func `ioapic takes two edges and a level that stays up`(choice: Choice) throws {
    let (_, counts) = try run("ioapic", choice)
    #expect(counts[0x43] == [0: 2])
    #expect(try #require(counts[0x53]?[0]) >= 2)
    #expect(counts.count == 2)
  }

  @Test(arguments: [MachineConfiguration.IRQChip.kernel, .split])
  func `multiboot-hello prints and leaves through the debug exit`(irqChip: MachineConfiguration.IRQChip) throws {
    let run = try Run(try #require(BuiltInGuest.named("multiboot-hello")).image) { $0.irqChip = irqChip }
    #expect(run.ending == "the guest wrote 0 to the debug exit")
    #expect(run.machine.console.text == "Hello from a Multiboot image.\n")
    #expect(run.machine.firstInstruction == nil)
  }

  @Test(arguments: Choice.all([1, 2]))
  func `virtio takes an interrupt for every request, on a disk that is written and on one that is read`(
    choice: Choice
  ) throws {
    let image = try #require(BuiltInGuest.named("virtio")).image
    let disk = try TemporaryDisk(sectors: 16)
    for (isReadOnly, requests) in [(false, 4), (true, 3)] {
      let run = try Run(image) {
        choice.apply(&$0)
        $0.virtio = [.entropy, .disk(VirtioDevice.Disk(path: disk.path, isReadOnly: isReadOnly))]
      }
      #expect(run.ending == "the guest finished")
      #expect(run.failedChecks == [])
      #expect(run.machine.unclaimedAccesses.allSatisfy { $0.accesses.count == 0 })
      let vectors = run.records.compactMap { if case .interrupt(let vector, _) = $0.event { vector } else { nil } }
      #expect(vectors.count { $0 == 0x61 } == (choice.vcpus == 1 ? 18 : 58))
      #expect(vectors.count { $0 == 0x62 } == requests)
    }
  }

  @Test func `the guests are listed by name, each with a summary and an image`() {
    let all = BuiltInGuest.all
    let known = ["hello", "ioapic", "ipi", "msi", "multiboot-hello", "timer", "virtio"]
    #expect(known.allSatisfy { name in all.contains { $0.name == name } })
    #expect(all.map(\.name) == all.map(\.name).sorted())
    #expect(all.allSatisfy { !$0.summary.isEmpty && $0.image.contents.count > 0 && $0.image.name == $0.name })
    #expect(BuiltInGuest.named("no such guest") == nil)
  }
}
