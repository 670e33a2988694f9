import ArgumentParser
import Foundation

/// What running a guest costs with Lapwing, with the floor and with QEMU.
@main
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares what Lapwing costs with a bare C program on the same KVM, and with QEMU.",
    discussion: """
      Every program runs a guest from spawn to exit; the programs take turns, so that what else happens on this machine \
      hits all of them. Ratios are taken round by round.

      Exit status: 0 success; 1 a program failed; 64 wrong usage; 69 a program is missing; 70 an internal fault.
      """)

  /// How the result is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case human
    case json
  }

  @Option(name: .customLong("runs"), help: "How many rounds are counted; in a round each program runs once.")
  var rounds = 20

  @Option(help: "How many rounds go before, to fill the caches.")
  var warmUp = 2

  @Option(help: "How many seconds a program may take.")
  var limit = 30

  @Option(help: "How to print the result.")
  var format = Format.human

  @Option(help: "Where lapwing is. (default: beside this program)")
  var lapwing: String?

  @Option(
    help: """
      A folder with kvm-unit-tests' images for x86-64: they are run with Lapwing and with QEMU, which is compared with, \
      in place of the floor.
      """)
  var kutImages: String?

  func validate() throws {
    guard 1...10_000 ~= rounds else { throw ValidationError("--runs takes 1 to 10000.") }
    guard 0...1000 ~= warmUp else { throw ValidationError("--warm-up takes 0 to 1000.") }
    guard 1...3600 ~= limit else { throw ValidationError("--limit takes 1 to 3600 seconds.") }
  }

  func run() throws {
    do throws(Failure) {
      try compare()
    } catch {
      FileHandle.standardError.write(Data("compare: \(error.message)\n".utf8))
      throw ExitCode(error.status)
    }
  }

  private func compare() throws(Failure) {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let stopwatch = Stopwatch(
      program: try Programs.sibling("measure"), output: folder.file("output"), limit: limit)
    let (contests, skipped) = try contests(folder, stopwatch)
    var results: [ContestResult] = []
    for contest in contests { results.append(try contest.hold(rounds: rounds, warmUp: warmUp, stopwatch)) }
    let result = Comparison(host: .current, rounds: rounds, contests: results, skipped: skipped)
    print(format == .json ? try result.json() : result.table())
  }

  /// What runs against what. The floor is the first of each, which the others are compared with.
  private func contests(
    _ folder: TemporaryFolder, _ stopwatch: Stopwatch
  ) throws(Failure) -> (contests: [Contest], skipped: [String]) {
    let lapwing = if let lapwing { try Programs.executable(lapwing) } else { try Programs.sibling("lapwing") }
    if let kutImages {
      guard let qemu = Programs.inPath("qemu-system-x86_64") else {
        throw Failure("there is no qemu-system-x86_64 in PATH", Failure.Status.missing)
      }
      return (Contest.unitTests(in: kutImages, lapwing: lapwing, qemu: qemu), [])
    }
    let floor = try Programs.sibling("floor")
    let hello = Contest(name: "hello", contenders: [.floor(floor, .hello), .lapwing(lapwing, .hello)])
    var multiboot = Contest(
      name: "multiboot", contenders: [.floor(floor, .multibootHello), .lapwing(lapwing, .multibootHello)])
    guard let qemu = Programs.inPath("qemu-system-x86_64") else {
      return ([hello, multiboot], ["QEMU: there is no qemu-system-x86_64 in PATH"])
    }
    let image = folder.file("multiboot-hello.elf")
    try stopwatch.write(.image(floor, .multibootHello), to: image)
    multiboot.contenders.append(.qemu(qemu, image: image))
    multiboot.contenders.append(.qemu(qemu, image: image, options: ",acpi=off,rtc=off"))
    return ([hello, multiboot], [])
  }
}
