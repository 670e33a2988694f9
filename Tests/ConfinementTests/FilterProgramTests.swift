import Confinement
import Foundation
import Testing

/// The programs of the two filters, run here as the kernel would run them.
struct FilterProgramTests {
  private static let filters: [(filter: SystemCallFilter, refusal: FilterMachine.Answer)] = [
    (.process(), .error(EPERM)), (.process(sockets: [.local, .loopback]), .error(EPERM)), (.vcpu, .signal),
  ]

  /// What a filter lets through whatever the arguments are.
  private static func listed(_ filter: SystemCallFilter) -> Set<UInt32> {
    Set(filter.groups.flatMap { $0.calls.map(\.key) })
  }

  @Test func `calls on a list are let through, and all others are refused`() {
    for (filter, refusal) in Self.filters {
      let machine = FilterMachine(filter)
      let others = Set(filter.exceptions.map(\.number) + filter.absent.map(\.key))
      for number in UInt32(0)...600 where !others.contains(number) {
        #expect(machine.answer(to: number) == (Self.listed(filter).contains(number) ? .allow : refusal), "\(number)")
      }
    }
  }

  @Test func `calls of 32-bit programs and of x32 are refused, whatever their numbers`() {
    for (filter, refusal) in Self.filters {
      let machine = FilterMachine(filter)
      for number in UInt32(0)...600 {
        #expect(machine.answer(to: number, architecture: FilterMachine.i386) == refusal)
        #expect(machine.answer(to: number | 0x4000_0000) == refusal)
      }
      #expect(machine.answer(to: .max) == refusal)
    }
  }

  @Test func `requests of KVM are let through, and none that types into a terminal`() {
    let (process, vcpu) = (FilterMachine(.process()), FilterMachine(.vcpu))
    // KVM_RUN, KVM_GET_ONE_REG, with the directions and sizes that a request has besides.
    for request: UInt64 in [0xae80, 0x4010_aeab, 0xffff_ffff_0000_ae80] {
      #expect(process.answer(to: 16, [3, request]) == .allow)
      #expect(vcpu.answer(to: 16, [3, request]) == .allow)
    }
    // TIOCGWINSZ, TIOCSTI.
    #expect(process.answer(to: 16, [0, 0x5413]) == .allow)
    #expect(process.answer(to: 16, [0, 0x5412]) == .error(EPERM))
    #expect(vcpu.answer(to: 16, [0, 0x5413]) == .signal)
  }

  @Test func `what a C library does without is answered as if the kernel did not have it`() {
    #expect(FilterMachine(.process()).answer(to: 435) == .error(ENOSYS))
    #expect(FilterMachine(.vcpu).answer(to: 257) == .error(ENOSYS))
  }

  @Test func `no memory becomes code, and no process comes of a thread`() {
    let machine = FilterMachine(.process(sockets: [.local, .loopback]))
    for number: UInt32 in [9, 10] {
      #expect(machine.answer(to: number, [0, 4096, 3]) == .allow)
      for protection: UInt64 in [4, 5, 7, 0x100_0004] {
        #expect(machine.answer(to: number, [0, 4096, protection]) == .error(EPERM))
        #expect(FilterMachine(.vcpu).answer(to: number, [0, 4096, protection]) == .signal)
      }
    }
    // The flags of pthread_create(3) and of fork(3).
    #expect(machine.answer(to: 56, [0x3d_0f00]) == .allow)
    #expect(machine.answer(to: 56, [0x120_0011]) == .error(EPERM))
    #expect(machine.answer(to: 435) == .error(ENOSYS))
    #expect(FilterMachine(.vcpu).answer(to: 56, [0x3d_0f00]) == .allow)
    #expect(FilterMachine(.vcpu).answer(to: 56, [0x120_0011]) == .signal)
  }

  @Test func `signals go to this process alone`() {
    for (filter, refusal) in Self.filters {
      #expect(FilterMachine(filter).answer(to: 234, [UInt64(getpid()), 1, 10]) == .allow)
      #expect(FilterMachine(filter).answer(to: 234, [1, 1, 9]) == refusal)
    }
  }

  @Test func `sockets are made only where something is to listen`() {
    let (deaf, listening) = (FilterMachine(.process()), FilterMachine(.process(sockets: [.local, .loopback])))
    // AF_UNIX, AF_INET; AF_NETLINK, AF_PACKET, AF_VSOCK.
    for family: UInt64 in [1, 2] {
      #expect(deaf.answer(to: 41, [family, 1]) == .error(EPERM))
      #expect(listening.answer(to: 41, [family, 1]) == .allow)
    }
    #expect(FilterMachine(.process(sockets: .local)).answer(to: 41, [2, 1]) == .error(EPERM))
    #expect(FilterMachine(.process(sockets: .loopback)).answer(to: 41, [1, 1]) == .error(EPERM))
    for family: UInt64 in [16, 17, 40] { #expect(listening.answer(to: 41, [family, 3]) == .error(EPERM)) }
    for number: UInt32 in [42, 49, 50] {
      #expect(deaf.answer(to: number) == .error(EPERM))
      #expect(listening.answer(to: number) == .allow)
    }
  }

  @Test func `nobody executes, traces, mounts, loads or makes a namespace`() {
    // execve, execveat, fork, vfork, ptrace, mount, fsopen, move_mount, init_module, finit_module, kexec_load, bpf,
    // perf_event_open, unshare, setns, process_vm_readv, process_vm_writev, userfaultfd, io_uring_setup, keyctl, kill, setuid.
    let numbers: [UInt32] = [
      59, 322, 57, 58, 101, 165, 430, 429, 175, 313, 246, 321, 298, 272, 308, 310, 311, 323, 425, 250, 62, 105,
    ]
    for (filter, refusal) in Self.filters {
      for number in numbers { #expect(FilterMachine(filter).answer(to: number) == refusal, "\(number)") }
    }
  }

  @Test func `every call has the number that the kernel's headers give it`() throws {
    let header = try #require(
      ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"].lazy.compactMap {
        try? String(contentsOfFile: $0, encoding: .utf8)
      }.first)
    var numbers: [Substring: UInt32] = [:]
    for line in header.split(separator: "\n") where line.hasPrefix("#define __NR_") {
      let words = line.dropFirst(13).split(separator: " ")
      numbers[words[0]] = words.count == 2 ? UInt32(words[1]) : nil
    }
    for (filter, _) in Self.filters {
      let calls =
        filter.groups.flatMap { $0.calls.map { ($0.key, $0.value) } } + filter.absent.map { ($0.key, $0.value) }
        + filter.exceptions.map { ($0.number, $0.name) }
      #expect(Set(calls.map(\.0)).count == calls.count, "a call is on the list twice")
      for (number, name) in calls { #expect(numbers[name[...]] == number, "\(name)") }
    }
  }

  @Test func `a number takes few steps, and the kernel's limit is far`() {
    for (filter, _) in Self.filters {
      // BPF_MAXINSNS is 4096.
      #expect(FilterProgram(filter).instructions.count < 400)
    }
  }
}

/// docs/confinement.md has the lists as they are.
struct DocumentedListsTests {
  @Test func `the document has every group of calls, and every call that is let through in part`() throws {
    let page = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/confinement.md")
      .standardizedFileURL
    let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
    let filters: [SystemCallFilter] = [.process(sockets: [.local, .loopback]), .vcpu]
    let rows = filters.map { filter in
      filter.groups.map { group in
        "| \(group.purpose) | \(group.calls.map { "`\($0.value)`" }.joined(separator: ", ")) |"
      } + filter.exceptions.map { "| \($0.purpose) | `\($0.name)` |" }
    }
    let known = Set(rows.joined())
    #expect(known.subtracting(lines.map(String.init)) == [])
    // Nor has it more: every row with calls is one of the lists'.
    let documented = lines.filter { $0.hasPrefix("|") && $0.hasSuffix("` |") }.map(String.init)
    #expect(Set(documented).subtracting(known) == [])
  }
}
