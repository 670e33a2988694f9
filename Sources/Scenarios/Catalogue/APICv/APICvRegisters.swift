import APIC
import Glibc
import KVM
import VMM

/// Registers that the hardware virtualizes.
extension Scenario {
  private static let accesses = 400

  /// Reads.
  static let apicvReads = Scenario(
    "apicv.reads", "With APICv, the guest reads registers of its local APIC without exits",
    exercises: ["vmx_update_msr_bitmap_x2apic", "SECONDARY_EXEC_APIC_REGISTER_VIRT", "SDM 3C 31.4.2"],
    needs: [.feature(.apicv)]
  ) { test in
    let vcpu = test[vcpu: 0]
    let spurious = try vcpu.read(.spurious)
    var matches = 0
    try test.checkWithoutExits(accesses) {
      if try vcpu.read(.spurious) == spurious { matches += 1 }
    }
    try test.check("reads that gave the register's value", matches, equals: accesses)
  }

  /// The TPR.
  static let apicvPriority = Scenario(
    "apicv.tpr", "With APICv, the guest writes its TPR without exits, and interrupts obey it",
    exercises: ["vmx_update_msr_bitmap_x2apic", "SDM 3C 31.1.2"], needs: [.feature(.apicv)]
  ) { test in
    let vcpu = test[vcpu: 0]
    var value: UInt32 = 0
    try test.checkWithoutExits(accesses) {
      value = value == 0 ? 0x20 : 0
      try vcpu.write(.taskPriority, value)
    }
    try vcpu.write(.taskPriority, 0xa0)
    try test.signal(MSIMessage(vector: 0x96, destination: vcpu.destination))
    try test.expectHeld(0x96, on: 0, by: "the task priority")
    try vcpu.write(.taskPriority, 0)
    try test.expect(1, of: 0x96, on: 0)
  }

  /// EOIs.
  static let apicvEOI = Scenario(
    "apicv.eoi", "With APICv, an interrupt of a vCPU to itself is sent, taken and ended without exits",
    modes: [.x2APIC],
    exercises: ["vmx_set_rvi", "vmx_hwapic_isr_update", "SDM 3C 31.1.4", "SDM 3C 31.1.5"], needs: [.feature(.apicv)]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.load(0, rounds: 1)
    var sent = 0
    try test.checkWithoutExits(accesses) {
      sent += 1
      try vcpu.write(.selfIPI, 0x99)
      try test.until("the interrupt is taken") { test.taken(0x99, on: 0) >= sent }
    }
    try test.expect(accesses, of: 0x99, on: 0)
  }

  /// The page through which an xAPIC is virtualized.
  static let apicvAccessPage = Scenario(
    "apicv.access-page", "The APIC access page works, also after KVM had to map it anew", modes: [.xAPIC], vcpus: 2,
    exercises: [
      "vmx_set_apic_access_page_addr", "kvm_alloc_apic_access_page", "KVM_REQ_APIC_PAGE_RELOAD", "SDM 3C 31.4",
    ],
    needs: [.feature(.apicv)]
  ) { test in
    func use(_ vector: Vector) throws {
      for vcpu in test.vcpus {
        let before = test.taken(vector, on: vcpu.index)
        try test.check("the id", try vcpu.read(.id), equals: vcpu.apicID << 24)
        try vcpu.write(.taskPriority, 0x10)
        try test.check("the TPR", try vcpu.read(.taskPriority), equals: 0x10)
        try vcpu.write(.taskPriority, 0)
        try vcpu.send(.toSelf(vector))
        try test.expect(before + 1, of: vector, on: vcpu.index)
      }
    }
    try use(0x9a)
    var pages = 0
    try test.stimulus { pages = APICAccessPage.invalidateAll() }
    try test.check("KVM's APIC access page is mapped into this process", pages > 0)
    try use(0x9a)
    try test.load(0, rounds: 2) { _ in _ = APICAccessPage.invalidateAll() }
    try use(0x9a)
  }
}

extension TestContext {
  /// Has vCPU 0 do something again and again and expects far fewer exits than that: what the host itself causes, its
  /// timer tick above all, is not counted where the statistics tell.
  fileprivate func checkWithoutExits(_ count: Int, _ body: () throws -> Void) throws {
    let before = try statistics[0].read()
    var done = 0
    try stimulus {
      for _ in 0..<count {
        try body()
        done += 1
      }
    }
    let change = try statistics[0].read().delta(since: before)
    guard let exits = change["exits"] else { throw ScenarioFailure("this kernel does not count exits") }
    let own = exits - min(exits, change["irq_exits"] ?? 0)
    note("exits for \(count) accesses", own)
    try check("\(count) accesses are done", done, equals: count)
    try check("they cause next to no exits", own < UInt64(count / 4), saw: own)
  }
}

/// The page that KVM maps into a VMM's own address space for the local APICs in xAPIC mode
/// (`kvm_alloc_apic_access_page`): one page of shared memory without a name, a VM each.
enum APICAccessPage {
  /// Takes the pages away from this process's page tables, so that KVM must look for them again; their contents stay.
  ///
  /// Pages of other machines of this process are taken too, which does them no harm.
  ///
  /// - Returns: how many there are.
  static func invalidateAll() -> Int {
    mappings().count { range in
      // Sound: the pages are shared memory, which keeps its contents when it is unmapped, and nobody here points to them.
      guard let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { return false }
      return unsafe madvise(start, range.count, MADV_DONTNEED) == 0
    }
  }

  /// Writable shared mappings of a single page without a file behind them, by /proc/self/maps (proc(5)).
  private static func mappings() -> [Range<UInt>] {
    guard let file = unsafe fopen("/proc/self/maps", "re") else { return [] }
    defer { unsafe fclose(file) }
    var found: [Range<UInt>] = []
    var line = [CChar](repeating: 0, count: 8192)
    // Sound: the call writes no more than the count that it is given, with a zero at the end.
    while unsafe fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard let range = range(of: text), range.count == 4096 else { continue }
      found.append(range)
    }
    return found
  }

  private static func range(of line: String) -> Range<UInt>? {
    let fields = line.split(whereSeparator: \.isWhitespace)
    guard fields.count >= 6, fields[1].hasPrefix("rw-s"), fields[5] == "/dev/zero" else { return nil }
    let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
    guard ends.count == 2, ends[0] < ends[1] else { return nil }
    return ends[0]..<ends[1]
  }
}
