import APIC
import Foundation

@testable import Reports
@testable import VMM

extension RunReport {
  /// A run of two vCPUs in which something of everything happened, and a check failed.
  static func madeUp() throws -> RunReport {
    let records = [
      GuestRecord(event: .mark("start"), vcpu: 0, tsc: 1000),
      GuestRecord(event: .interrupt(0x30, instruction: 0x10_0010), vcpu: 1, tsc: 2000),
      GuestRecord(event: .check("it arrives", holds: true, saw: 0), vcpu: 0, tsc: 3000),
      GuestRecord(event: .check("once", holds: false, saw: 2), vcpu: 1, tsc: 4000),
      GuestRecord(event: .value("cycles", 77), vcpu: 0, tsc: 5000),
      GuestRecord(event: .exception(13, errorCode: 0x18, instruction: 0x10_0020), vcpu: 1, tsc: 6000),
      GuestRecord(event: .unknown(kind: 9), vcpu: 0, tsc: 7000),
    ]
    let checks = [
      Check(label: "it arrives", holds: true, saw: 0, vcpu: 0, time: 3_000_000),
      Check(label: "once", holds: false, saw: 2, vcpu: 1, time: 4_000_000),
    ]
    return RunReport(
      guest: "made-up", success: false, outcome: OutcomeReport(.finished(status: 0, vcpu: 0)),
      machine: MachineReport(
        vcpus: 2, memory: 64 << 20, irqchip: .split, apic: .x2APIC, start: .sipi, profile: "standard",
        cpu: "qemu64,+umip", backEnd: "kvm_intel", tscKHz: 2_000_000),
      times: Times(start: 500_000, firstInstruction: 900_000, end: 12_345_678),
      interrupts: [
        InterruptCount(vector: 0x30, vcpu: 0, count: 3, first: 2_000_000, last: 2_500_000),
        InterruptCount(vector: 0x30, vcpu: 1, count: 1, first: 1_500_000, last: 1_500_000),
        InterruptCount(vector: 0xf1, vcpu: 1, count: 12, first: 3_000_000, last: 11_000_000_000),
      ], checks: checks, records: records.enumerated().map { RecordReport($1, time: Int64($0 + 1) * 1_000_000) },
      droppedRecords: 4, console: ConsoleReport(text: "hi\n", droppedBytes: 5),
      vcpuStatistics: [
        ["exits": 10, "halt_exits": 1, "l1d_flush": 0], ["exits": 7, "halt_exits": 2, "l1d_flush": 0],
      ],
      vmStatistics: ["pages_4k": 12],
      unclaimed: [
        UnclaimedReport(bus: "port", count: 2, first: ["vCPU 0 read 1 byte at 0x80", "vCPU 1 wrote 2 bytes at 0x70"]),
        UnclaimedReport(bus: "memory", count: 1, first: ["vCPU 0 read 4 bytes at 0xd0000000"]),
      ], brokenQueues: ["the driver of virtio0 broke its queue: it is a loop"], vcpus: [try .madeUp()])
  }
}

extension VCPUStateReport {
  /// The state of a vCPU that hangs, as its document has it.
  static func madeUp() throws -> VCPUStateReport {
    let document = """
      {
        "vcpu": 0, "state": "halted", "registers": {"rip": 1048581, "rax": 4660, "cs": 8},
        "localAPIC": {
          "mode": "x2APIC", "id": 0, "isSoftwareEnabled": true, "taskPriority": 16, "processorPriority": 48,
          "interruptRequest": [49, 65], "inService": [48], "localVectorTable": {"timer": "Fixed 0x41", "error": "masked"},
          "initialCount": 1000, "currentCount": 250
        }
      }
      """
    return try JSONDecoder().decode(VCPUStateReport.self, from: Data(document.utf8))
  }
}
