import Testing
import UnitTests

@Suite struct UnitTestFileTests {
  @Test func `a configuration is sections of options, with comments between`() throws {
    let file = try UnitTestFile(
      """
      ####
      # a comment
      [x2apic]
      file = apic.flat
      smp = 2
      qemu_params = -cpu qemu64,+x2apic
      arch = x86_64
      timeout = 30
      groups = apic interrupts

      [vmexit_cpuid]
      file=vmexit.flat
      test_args = 'cpuid'
      check = /proc/a=Y /proc/b=N
      accel = kvm
      """)
    #expect(file.tests.map(\.name) == ["x2apic", "vmexit_cpuid"])
    let first = file.tests[0]
    #expect([first.file, first.smp, first.options] == ["apic.flat", "2", "-cpu qemu64,+x2apic"])
    #expect([first.architecture, first.timeout] == ["x86_64", "30"])
    #expect(first.groups == ["apic", "interrupts"])
    #expect(first.line == 3)
    let second = file.tests[1]
    #expect([second.file, second.arguments, second.check] == ["vmexit.flat", "'cpuid'", "/proc/a=Y /proc/b=N"])
    #expect(second.accelerator == "kvm")
  }

  @Test func `a value between triple quotes goes over lines`() throws {
    let file = try UnitTestFile(
      "[a]\r\nextra_params = \"\"\"-cpu max \\\r\n  -m 2g\"\"\"\r\nsmp = 2\r\n")
    #expect(file.tests[0].options == "-cpu max   -m 2g")
    #expect(file.tests[0].smp == "2")
  }

  @Test func `an unknown option is kept with its test`() throws {
    #expect(try UnitTestFile("[a]\nwarp = 9").tests[0].unknown == ["warp"])
  }

  @Test(arguments: [
    ("smp = 2", "line 1: the option 'smp' comes before the first '[name]'"),
    ("[a]\nfile", "line 2: 'file' is neither '[name]' nor 'option = value'"),
    ("[a", "line 1: a section is '[name]', not '[a'"), ("[]", "line 1: a section is '[name]', not '[]'"),
    ("[a]\n[a]", "line 2: there are two tests of the name 'a'"),
    ("[a]\nextra_params = \"\"\"x\ny", "line 2: the value that begins with \"\"\" has no end"),
    ("\u{0}\u{1}\u{ff}", "line 1: '\u{0}\u{1}\u{ff}' is neither '[name]' nor 'option = value'"),
  ])
  func `what is no configuration is refused with its line`(text: String, problem: String) {
    #expect(throws: UnitTestFile.ParsingError.self) { try UnitTestFile(text) }
    do {
      _ = try UnitTestFile(text)
    } catch {
      #expect(error.description == problem)
    }
  }

  @Test func `names, patterns and groups select, and one that selects nothing is a mistake`() throws {
    let tests = try UnitTestFile("[vmexit_cpuid]\ngroups = vmexit\n[vmexit_ipi]\n[apic]\ngroups = apic slow").tests
    func names(_ names: [String], _ groups: [String] = []) throws -> [String] {
      try UnitTestSelection(names: names, groups: groups).select(from: tests).map(\.name)
    }
    #expect(try names([]) == ["vmexit_cpuid", "vmexit_ipi", "apic"])
    #expect(try names(["vmexit_*"]) == ["vmexit_cpuid", "vmexit_ipi"])
    #expect(try names(["apic", "vmexit_ipi"]) == ["vmexit_ipi", "apic"])
    #expect(try names([], ["slow", "vmexit"]) == ["vmexit_cpuid", "apic"])
    #expect(try names(["vmexit_*"], ["vmexit"]) == ["vmexit_cpuid"])
    #expect(throws: UnitTestSelection.Unknown.self) { try names(["vmexit"]) }
    #expect(throws: UnitTestSelection.Unknown.self) { try names([], ["fast"]) }
  }
}
