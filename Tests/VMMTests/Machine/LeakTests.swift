import Foundation
import TestImages
import Testing

@testable import VMM

/// What a process of its own has left after many machines: other tests run beside this one and open files too.
@Suite(.needsKVM) struct LeakTests {
  private static func entries(_ path: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: path).count
  }

  @Test func `fifty machines, run and dropped, leave neither a descriptor nor a thread`() async {
    await #expect(processExitsWith: .success) {
      let run = ELFImage(code: Code(.long).debugExit(0).bytes).bytes
      let dropped = GuestImage(name: "spin", bytes: ELFImage(code: Code(.long).spin().bytes).bytes)
      // The first opens what is opened once.
      _ = try Run(run) { $0.vcpus = 2 }
      let before = (files: try Self.entries("/proc/self/fd"), threads: try Self.entries("/proc/self/task"))
      for index in 0..<25 {
        _ = try Run(run) {
          $0.vcpus = 2
          $0.irqChip = index % 2 == 0 ? .kernel : .split
        }
        _ = try Machine.testing(dropped)
      }
      let after = (files: try Self.entries("/proc/self/fd"), threads: try Self.entries("/proc/self/task"))
      #expect(after.files == before.files)
      #expect(after.threads == before.threads)
    }
  }
}
