import KVM
import TestImages
import Testing

@testable import VMM

/// Machines that cannot be, each refused with the reason.
@Suite(.needsKVM) struct ConfigurationTests {
  private func refusal(_ change: (inout MachineConfiguration) -> Void) throws -> String {
    let image = GuestImage(name: "halt", bytes: ELFImage(code: Code(.long).halt().bytes).bytes)
    var message = "none"
    do {
      _ = try Machine.testing(image, change)
    } catch let error as MachineError {
      message = error.description
    }
    return message
  }

  @Test func `a configuration that no machine can have is refused`() throws {
    #expect(try refusal { $0.vcpus = 0 } == "a machine has at least 1 vCPU, not 0")
    #expect(try refusal { $0.vcpus = -1 } == "a machine has at least 1 vCPU, not -1")
    #expect(try refusal { $0.memory = 0 } == "guest memory is from 1 MiB to 64 GiB")
    #expect(try refusal { $0.memory = (64 << 30) + 4096 } == "guest memory is from 1 MiB to 64 GiB")
    #expect(try refusal { $0.memory = (2 << 20) + 1 } == "guest memory is a multiple of 4096 bytes, not 2097153")
    let text = String(repeating: "x", count: 1024)
    #expect(try refusal { $0.arguments = text } == "the guest's arguments have at most 1023 bytes")
  }

  @Test func `an image may not reach into what the machine itself puts into memory`() throws {
    let refusal = try refusal { $0.memory = 1 << 20 }
    #expect(refusal.hasPrefix("segment 0 (4 bytes at 0x100000) lies outside of guest memory, which ends at 0x"))
  }

  @Test func `more vCPUs than KVM has, than xAPIC ids, than memory`() throws {
    let most = max(try KVM.open().check(.maxVCPUs), try KVM.open().check(.nrVCPUs))
    #expect(try refusal { $0.vcpus = most + 1 } == "this host runs at most \(most) vCPUs, not \(most + 1)")
    if most > 255 {
      let refusal = try refusal {
        $0.vcpus = 256
        $0.apic = .xAPIC
      }
      #expect(refusal == "with xAPIC an APIC id is at most 254, so there are at most 255 vCPUs; use x2APIC")
    }
    if most >= 128 {
      let refusal = try refusal {
        $0.vcpus = 128
        $0.memory = 2 << 20
      }
      #expect(refusal == "2 MiB are too little memory for 128 vCPUs; give more")
    }
  }
}
