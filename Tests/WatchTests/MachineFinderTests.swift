import Foundation
import SystemPackage
import Testing

@testable import Watch

/// Machines as a made-up debugfs and a made-up /proc have them.
@Suite struct MachineFinderTests {
  private let host = try? MadeUpHost()

  @Test func `a machine has its process, its descriptor, its vCPUs by id and their threads`() throws {
    let host = try #require(host)
    try host.addProcess(1234, "qemu-system-x86")
    try host.add("kvm/1234-11/vcpu10/pid", "77\n")
    try host.add("kvm/1234-11/vcpu2/pid", "76\n")
    try host.add("kvm/1234-11/vcpu3/pid", "0\n")
    try host.add("kvm/1234-11/exits", "5\n")
    let machine = try #require(host.machines.first)
    #expect(host.machines.count == 1)
    #expect(machine.name == "1234/11" && machine.program == "qemu-system-x86")
    #expect(machine.vcpus.map(\.id) == [2, 3, 10])
    #expect(machine.vcpus.map(\.thread) == [76, nil, 77])
    #expect(machine.vcpus.allSatisfy { !$0.isThreadByName })
  }

  @Test func `a machine that any thread of a process made is the process's, also when that thread is gone`() throws {
    let host = try #require(host)
    try host.addProcess(50, "cloud-hypervisor")
    for thread in [52, 53] { try host.add("proc/\(thread)/status", "Name:\tvmm\nTgid:\t50\nNgid:\t0\n") }
    try host.add("kvm/52-9/exits", "0")
    try host.add("kvm/99-12/vcpu0/pid", "53\n")
    #expect(host.machines.map(\.name) == ["50/9", "50/12"])
    #expect(host.machines.map(\.program) == ["cloud-hypervisor", "cloud-hypervisor"])
  }

  @Test func `where the kernel does not tell a vCPU's thread its name does`() throws {
    let host = try #require(host)
    try host.addProcess(50, "fire", threads: [51: "fc_vcpu 0", 52: "fc_vcpu 1", 53: "fc_api"])
    for id in 0...2 { try host.add("kvm/50-9/vcpu\(id)/tsc-offset", "0") }
    let vcpus = try #require(host.machines.first).vcpus
    #expect(vcpus.map(\.thread) == [51, 52, nil])
    #expect(vcpus.map(\.isThreadByName) == [true, true, false])
  }

  @Test func `the names of the threads of all well-known VMMs are known, and others are not`() {
    let names = ["CPU 3/KVM", "fc_vcpu 3", "crosvm_vcpu3", "vcpu3", "vcpu-3", "vCPU 3"]
    #expect(names.map { HostProcesses.vcpu(inName: $0) } == names.map { _ in 3 })
    for name in ["CPU 3", "CPU x/KVM", "vcpu", "kvm-pit/3", "vcpu3x", "CPU -1/KVM", ""] {
      #expect(HostProcesses.vcpu(inName: name) == nil, "\(name)")
    }
  }

  @Test func `whether the local APICs are the kernel's is told by their files`() throws {
    let host = try #require(host)
    try host.add("kvm/1-1/vcpu0/tsc-offset", "0")
    try host.add("kvm/2-1/vcpu0/tsc-offset", "0")
    try host.add("kvm/2-1/vcpu0/lapic_timer_advance_ns", "1000")
    try host.add("kvm/3-1/vcpu0/pid", "4")
    #expect(host.machines.map(\.hasKernelLocalAPIC) == [false, true, nil])
  }

  @Test func `what is no machine's folder is passed over`() throws {
    let host = try #require(host)
    for name in ["exits", "12", "x-1", "1-x", "-1-2", "1--2", "99999999999-1", "1-2-3", "0-3", "1-", "-"] {
      try host.add("kvm/\(name)/x", "")
    }
    #expect(host.machines.isEmpty)
  }

  @Test func `a machine of a process that cannot be seen has no program`() throws {
    let host = try #require(host)
    try host.add("kvm/7-3/vcpu0/pid", "8")
    #expect(host.machines.first?.program == nil)
    #expect(host.machines.count == 1)
  }

  @Test func `the machine that is meant is found, and otherwise it is said why not`() throws {
    let host = try #require(host)
    try host.addProcess(10, "one")
    try host.addProcess(20, "two")
    try host.addProcess(30, "none")
    for name in ["10-5", "20-6", "20-7"] { try host.add("kvm/\(name)/vcpu0/pid", "0") }
    func find(_ text: String) throws -> String {
      try #require(MachineSelection(text)).machine(among: host.machines, host.processes).name
    }
    #expect(try find("10") == "10/5")
    #expect(try find("20/7") == "20/7")
    #expect(throws: MachineMissing.several(["20/6", "20/7"])) { try find("20") }
    #expect(throws: MachineMissing.noDescriptor(9, those: ["10/5"])) { try find("10/9") }
    #expect(throws: MachineMissing.noMachine(process: 30, name: "none")) { try find("30") }
    #expect(throws: MachineMissing.noProcess(40)) { try find("40") }
  }

  @Test func `a selection is PID or PID and FD, and nothing else`() {
    for text in ["", "x", "0", "-1", "1/", "/1", "1/2/3", "1/-2", "1.5", "99999999999", "1/x"] {
      #expect(MachineSelection(text) == nil, "\(text)")
    }
    #expect(MachineSelection("12/0")?.descriptor == 0)
  }
}
