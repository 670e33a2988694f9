import Testing

/// Wrong usage: exit status 64, an explanation on standard error, nothing on standard output.
@Suite struct UsageTests {
  private func refuse(_ arguments: [String], _ message: String) throws {
    let result = try Program.run(arguments)
    #expect(result.status == 64)
    #expect(result.output == "")
    #expect(result.errors.contains(message))
  }

  @Test(arguments: [
    (["run"], "Missing expected argument '<guest>'"),
    (["run", "hello", "extra"], "Unexpected argument 'extra'"),
    (["run", "hello", "--no-such-option"], "Unknown option '--no-such-option'"),
    (["run", "hello", "--vcpus", "many"], "The value 'many' is invalid for '--vcpus <vcpus>'"),
    (["run", "hello", "--vcpus"], "Missing value for '--vcpus <vcpus>'"),
    (["run", "hello", "--memory", "lots"], "The value 'lots' is invalid"),
    (["run", "hello", "--memory", "1.5M"], "The value '1.5M' is invalid"),
    (["run", "hello", "--memory", "99999999999999999999G"], "is invalid"),
    (["run", "hello", "--timeout", "soon"], "The value 'soon' is invalid"),
    (["run", "hello", "--timeout", "0"], "The value '0' is invalid"),
    (["run", "hello", "--timeout", "2d"], "The value '2d' is invalid"),
    (["run", "hello", "--timeout", "1e99"], "The value '1e99' is invalid"),
    (["run", "hello", "--irqchip", "pic"], "The value 'pic' is invalid"),
    (["run", "hello", "--apic", "8259"], "The value '8259' is invalid"),
    (["run", "hello", "--start", "late"], "The value 'late' is invalid"),
    (["run", "hello", "--load-address", "0xg"], "The value '0xg' is invalid"),
    (["run", "hello", "--format", "xml"], "The value 'xml' is invalid"),
    (["list", "--format", "xml"], "The value 'xml' is invalid"),
    (["no-such-command"], "Unexpected argument 'no-such-command'"),
  ])
  func `what the command line cannot mean`(arguments: [String], message: String) throws {
    try refuse(arguments, message)
  }

  @Test(
    .needsKVM,
    arguments: [
      (["--vcpus", "0"], "lapwing: a machine has at least 1 vCPU, not 0\n"),
      (["--vcpus", "100000"], "vCPUs, not 100000\n"),
      // 8 GiB of APIC ids, and one id more than there are.
      (["--vcpus", "2147483648"], "vCPUs, not 2147483648\n"),
      (["--vcpus", "4294967296"], "vCPUs, not 4294967296\n"),
      (["--vcpus=-1"], "lapwing: a machine has at least 1 vCPU, not -1\n"),
      (["--memory", "0"], "lapwing: guest memory is from 1 MiB to 64 GiB\n"),
      (["--memory", "4K"], "lapwing: guest memory is from 1 MiB to 64 GiB\n"),
      (["--memory", "1T"], "The value '1T' is invalid"),
      (["--memory", "2097153"], "lapwing: guest memory is a multiple of 4096 bytes, not 2097153\n"),
      (["--append", String(repeating: "x", count: 1024)], "lapwing: the guest's arguments have at most 1023 bytes\n"),
    ])
  func `what no machine can have`(options: [String], message: String) throws {
    try refuse(["run", "hello"] + options, message)
  }

  @Test func `more arguments than the parser reads in a moment`() throws {
    let filters = (0..<10_000).map { "ipi.\($0)" }
    try refuse(["test", "--list"] + filters, "there are 10002 arguments; at most 10000 are read")
  }
}
