import Glibc
import Support
import SystemPackage

/// How a trace instance is set up.
struct TraceConfiguration {
  /// Reads what it records.
  let decoder: EventDecoder
  /// The tracepoints that are recorded.
  let events: [Tracepoint]
  /// What else would be recorded: what this kernel does not have, and what it has in another form, with what is missing.
  let absentEvents: [String]
  /// Whether entries and exits can be recorded.
  let hasResidency: Bool
  let countsCycles: Bool

  /// How much room the buffers have, in KiB: those of all processors together, and of one.
  struct Room: Hashable, Sendable {
    var budget: Int
    var range: ClosedRange<Int>

    /// For a scenario, whose interrupts are few.
    static let scenario = Room(budget: 16384, range: 64...512)
    /// For a guest that may leave the guest hundreds of thousands of times a second, looked at twenty times a second.
    static let run = Room(budget: 65536, range: 512...8192)
  }

  /// A format file that is larger, in bytes, is none.
  private static let formatLimit = 1 << 18

  /// Sets an instance up.
  ///
  /// - Parameters:
  ///   - directory: the instance's.
  ///   - room: how large its buffers are.
  /// - Throws: `TraceUnavailable` where the kernel refuses, or has formats that nothing can be read by.
  static func apply(to directory: FilePath, _ room: Room) throws(TraceUnavailable) -> TraceConfiguration {
    let countsCycles: Bool
    let found: EventDecoder?
    do throws(Errno) {
      try TextFile.write("0", to: directory.appending("tracing_on"))
      let clocks = try TextFile.read(directory.appending("trace_clock"))
      countsCycles = clocks.split(whereSeparator: \.isWhitespace).contains("x86-tsc")
      if countsCycles { try TextFile.write("x86-tsc", to: directory.appending("trace_clock")) }
      let size = room.budget / max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
      let kept = min(max(size, room.range.lowerBound), room.range.upperBound)
      try TextFile.write("\(kept)", to: directory.appending("buffer_size_kb"))
      try TextFile.write("1", to: directory.appending("options/event-fork"))
      found = try decoder(directory)
      for event in recorded(found) { try TextFile.write("1", to: switchFile(of: event, in: directory)) }
    } catch {
      throw TraceUnavailable("a trace instance cannot be set up", error)
    }
    guard let decoder = found else {
      throw TraceUnavailable("this kernel's events/header_page and formats of kvm events are not of a known form")
    }
    let events = recorded(decoder)
    let absent = Tracepoint.always.filter { tracepoint in
      !events.contains(tracepoint) && !decoder.obstacles.contains { $0.tracepoint == tracepoint }
    }
    return TraceConfiguration(
      decoder: decoder, events: events,
      absentEvents: absent.map(\.rawValue) + decoder.obstacles.map(\.description),
      hasResidency: Tracepoint.residency.allSatisfy(decoder.readable.contains), countsCycles: countsCycles)
  }

  private static func recorded(_ decoder: EventDecoder?) -> [Tracepoint] {
    (decoder?.readable ?? []).filter { Tracepoint.always.contains($0) }
  }

  /// Reads the formats of the tracepoints that this kernel has.
  private static func decoder(_ directory: FilePath) throws(Errno) -> EventDecoder? {
    let events = directory.appending("events")
    let header = try TextFile.open(events.appending("header_page"), .readOnly) { file throws(Errno) in
      try TextFile.drain(file, limit: formatLimit)
    }
    var formats: [EventFormat] = []
    for tracepoint in Tracepoint.allCases {
      let file = events.appending("kvm/\(tracepoint.rawValue)/format")
      guard
        let bytes = try? TextFile.open(
          file, .readOnly,
          { file throws(Errno) in
            try TextFile.drain(file, limit: formatLimit)
          })
      else { continue }
      // Sound, here and below: a byte has no padding.
      if let format = unsafe EventFormat(parsing: bytes.span.bytes) { formats.append(format) }
    }
    guard let page = unsafe PageFormat(parsing: header.span.bytes) else { return nil }
    return EventDecoder(page: page, formats: formats)
  }

  /// Switches the recording of entries and exits on or off.
  ///
  /// - Returns: whether they are recorded now: not where this kernel or its back end does not have both.
  func record(residency isWanted: Bool, in directory: FilePath) throws(Errno) -> Bool {
    guard hasResidency else { return false }
    for event in Tracepoint.residency {
      try TextFile.write(isWanted ? "1" : "0", to: Self.switchFile(of: event, in: directory))
    }
    return isWanted
  }

  /// Switches the recording of accesses to registers on, where this kernel has it.
  func recordRegisters(in directory: FilePath) throws(Errno) {
    for event in Tracepoint.registers where decoder.readable.contains(event) {
      try TextFile.write("1", to: Self.switchFile(of: event, in: directory))
    }
  }

  private static func switchFile(of event: Tracepoint, in directory: FilePath) -> FilePath {
    directory.appending("events/kvm/\(event.rawValue)/enable")
  }
}

/// Whose events a trace instance records.
public enum TraceSubject: Hashable, Sendable {
  /// Those of the thread that begins to record, and of the threads that it starts from then on.
  case callingThread
  /// Those of all threads of the processes with these ids, and of those that they start.
  case processes([Int32])
  /// Those of all threads of this host, and what happens in interrupt context.
  case allThreads
}

extension TraceSubject {
  /// How often a process's threads are looked at: one that is not listed yet may start another meanwhile.
  private static let looks = 16

  /// Has an instance record these threads alone (kernel, Documentation/trace/events.rst, section 5; option `event-fork` for
  /// those that they start).
  ///
  /// - Parameters:
  ///   - file: the instance's `set_event_pid`.
  ///   - callingThread: the kernel's id of the calling thread.
  /// - Throws: what the kernel refuses it with; `noSuchProcess` where there is no such process.
  func filter(_ file: FilePath, callingThread: Int32) throws(Errno) {
    switch self {
    case .callingThread: try TextFile.replace(file, with: "\(callingThread)")
    case .allThreads: try TextFile.replace(file, with: "")
    case .processes(let ids):
      var listed: Set<String> = []
      for _ in 0..<Self.looks {
        let new = ids.flatMap { HostFile.names(in: FilePath("/proc/\($0)/task")) }.filter { !listed.contains($0) }
        guard !new.isEmpty else { break }
        let text = new.joined(separator: " ")
        if listed.isEmpty { try TextFile.replace(file, with: text) } else { try TextFile.write(text, to: file) }
        listed.formUnion(new)
      }
      guard !listed.isEmpty else { throw .noSuchProcess }
    }
  }
}
