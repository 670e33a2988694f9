import Support
import SystemPackage

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
