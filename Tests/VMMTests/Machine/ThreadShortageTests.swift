import Foundation
import TestImages
import Testing

@testable import VMM

/// A host that has not enough for the threads of all vCPUs.
@Suite(.needsKVM) struct ThreadShortageTests {
  /// In a process of its own, whose limit it is.
  @Test func `where a vCPU's thread cannot be started, those that run are ended, once`() async {
    await #expect(processExitsWith: .success) {
      let image = GuestImage(name: "spin", bytes: ELFImage(code: Code(.long).spin().bytes).bytes)
      let machine = try Machine.testing(image) { $0.vcpus = 32 }
      let pages = try #require(
        try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").first.flatMap { UInt($0) }
      )
      // Room for the stacks of some threads, of 8 MiB each, and not of all; more than the C library keeps of threads that have
      // ended (40 MiB), so that whoever uses one of those again meets nothing.
      var limit = rlimit(rlim_cur: pages << 12 + 120 << 20, rlim_max: rlim_t.max)
      // Sound: the call reads the one structure.
      try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
      #expect(throws: MachineError.self) { _ = try machine.start() }
    }
  }
}
