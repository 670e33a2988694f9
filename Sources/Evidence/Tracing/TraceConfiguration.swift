import Glibc
import SystemPackage

/// How a trace instance is set up.
struct TraceConfiguration {
  let events: [String]
  let absentEvents: [String]
  let countsCycles: Bool

  /// Entries into the guest and exits from it. They are recorded only where somebody asks for them: their lines would be
  /// most of the text.
  static let residency = ["kvm_entry", "kvm_exit"]

  /// What is recorded always, where the kernel has it: how interrupts come in, are accepted, delivered and ended (kernel,
  /// arch/x86/kvm/trace.h and include/trace/events/kvm.h).
  static let wanted = [
    "kvm_set_irq", "kvm_msi_set_irq", "kvm_ioapic_set_irq", "kvm_pic_set_irq", "kvm_apic_ipi", "kvm_apic_accept_irq",
    "kvm_apicv_accept_irq", "kvm_apicv_inhibit_changed", "kvm_inj_virq", "kvm_eoi", "kvm_pv_eoi", "kvm_ack_irq",
    "kvm_hv_timer_state", "kvm_wait_lapic_expire", "kvm_vcpu_wakeup", "kvm_pi_irte_update",
  ]

  /// The tracepoint of that name among those; nil for any other.
  static func name(_ text: Span<UInt8>, _ word: Range<Int>) -> String? {
    (wanted + residency).first { name in
      guard name.utf8.count == word.count else { return false }
      var place = word.lowerBound
      for byte in name.utf8 {
        guard byte == text[place] else { return false }
        place += 1
      }
      return true
    }
  }

  /// The buffers of all processors together, and of one, in KiB.
  private static let bufferBudget = 16384
  private static let bufferRange = 64...512

  static func apply(to directory: FilePath) throws(Errno) -> TraceConfiguration {
    try TextFile.write("0", to: directory.appending("tracing_on"))
    let clocks = try TextFile.read(directory.appending("trace_clock"))
    let countsCycles = clocks.split(whereSeparator: \.isWhitespace).contains("x86-tsc")
    if countsCycles { try TextFile.write("x86-tsc", to: directory.appending("trace_clock")) }
    let size = bufferBudget / max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let kept = min(max(size, bufferRange.lowerBound), bufferRange.upperBound)
    try TextFile.write("\(kept)", to: directory.appending("buffer_size_kb"))
    try TextFile.write("1", to: directory.appending("options/event-fork"))
    let events = wanted.filter { TextFile.obstacle(switchFile(of: $0, in: directory), F_OK) == nil }
    for name in events { try TextFile.write("1", to: switchFile(of: name, in: directory)) }
    return TraceConfiguration(
      events: events, absentEvents: wanted.filter { !events.contains($0) }, countsCycles: countsCycles)
  }

  /// Switches the recording of entries and exits on or off.
  ///
  /// - Returns: whether they are recorded now: not where this kernel or its back end does not have both.
  static func record(residency isWanted: Bool, in directory: FilePath) throws(Errno) -> Bool {
    let files = residency.map { switchFile(of: $0, in: directory) }
    guard files.allSatisfy({ TextFile.obstacle($0, F_OK) == nil }) else { return false }
    for file in files { try TextFile.write(isWanted ? "1" : "0", to: file) }
    return isWanted
  }

  private static func switchFile(of event: String, in directory: FilePath) -> FilePath {
    directory.appending("events/kvm/\(event)/enable")
  }
}
