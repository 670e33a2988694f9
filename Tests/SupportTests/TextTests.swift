import Support
import Testing

@Suite struct WildcardPatternTests {
  @Test(arguments: [
    ("", ""), ("*", ""), ("*", "anything"), ("a*", "a"), ("ab*ba", "abba"), ("a*b*a", "a-b-b-a"), ("**b", "ab"),
    ("vcpus[*].msrs.0x10", "vcpus[0].msrs.0x10"), ("*.x2apic", "ipi.self.x2apic"), ("a*ab", "aab"),
  ])
  func `a star stands for any characters, also for none`(pattern: String, subject: String) {
    #expect(WildcardPattern(pattern).matches(subject))
  }

  @Test(arguments: [("", "a"), ("a", "ab"), ("ab*ba", "aba"), ("a*b*a", "a--a"), ("a*", "ba"), ("*b", "ba")])
  func `everything else has to be the same`(pattern: String, subject: String) {
    #expect(!WildcardPattern(pattern).matches(subject))
  }

  @Test(.timeLimit(.minutes(1))) func `many stars do not make it slow`() {
    let pattern = WildcardPattern(String(repeating: "a*", count: 200) + "b")
    #expect(!pattern.matches(String(repeating: "a", count: 2000)))
  }
}

@Suite struct QuantityTests {
  @Test(arguments: [
    ("0", 0), ("512", 512), ("64M", 64 << 20), ("64m", 64 << 20), ("1GiB", 1 << 30), ("2k", 2048), ("7B", 7),
    ("17179869183G", 17_179_869_183 << 30),
  ])
  func `a size has a unit of bytes`(text: String, bytes: UInt64) {
    #expect(ByteSize(text)?.bytes == bytes)
  }

  @Test(arguments: ["", "M", "-1", "+1", "1.5G", "1T", "64 M", "17179869184G", "18446744073709551616", "٤M"])
  func `what is no size, or one that 64 bits do not hold, is refused`(text: String) {
    #expect(ByteSize(text) == nil)
  }

  @Test(arguments: [
    (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1536 B"), (64 << 20, "64 MiB"), (1 << 30, "1 GiB"),
    ((1 << 30) + 4096, "1048580 KiB"), (.max, "18446744073709551615 B"),
  ])
  func `a size is written in the largest unit that divides it`(bytes: UInt64, text: String) {
    #expect("\(ByteSize(bytes: bytes))" == text)
  }

  @Test func `a number without a unit counts what it is told to`() {
    #expect(ByteSize("128", defaultUnit: .mebibyte)?.bytes == 128 << 20)
    #expect(ByteSize("128B", defaultUnit: .mebibyte)?.bytes == 128)
  }

  @Test(arguments: [
    ("10s", Duration.seconds(10)), ("200ms", .milliseconds(200)), ("1.5m", .seconds(90)), ("2", .seconds(2)),
    ("1h", .seconds(3600)), ("1d", .seconds(86_400)), ("0", .zero),
  ])
  func `a length of time has a unit of seconds`(text: String, duration: Duration) {
    #expect(Duration(written: text) == duration)
  }

  @Test(arguments: ["", "s", "-1s", "1e3", "1.2.3", "1w", "90000", "25h", "nan", "inf"])
  func `what is no time, or more than a day, is refused`(text: String) {
    #expect(Duration(written: text) == nil)
  }
}
