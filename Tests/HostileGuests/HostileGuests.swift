import ArgumentParser
import Foundation
import KVM

/// Runs guests that do all kinds of things to the machine that a guest may try, from a seed each, and checks that nothing
/// of it harms the program: it does not trap, hang, grow or let the guest write control characters into a report.
///
/// Exit status: 0; 1 with the seed where a guest did harm; 69 without /dev/kvm; a signal's, with the seed, after a trap.
@main
struct HostileGuests: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hostile-guests", abstract: "Run random hostile guests against the virtual machine monitor.")

  @Option(
    help: "The first guest's seed; each next one has the number after it. By default a fresh one, which is printed.")
  var seed: UInt64?

  @Option(name: .customLong("for"), help: "For how many seconds guests are run.")
  var seconds = 30

  @Option(help: "How many guests are run at most.")
  var count = Int.max

  @Option(help: "How many milliseconds a guest may run.")
  var limit = 100

  /// More than a guest's memory, its console and its log.
  private static let residentLimit = 400 << 20

  func run() throws {
    let system: System
    do throws(KVMError) {
      system = try KVM.open()
    } catch {
      print("hostile-guests: \(error)")
      throw ExitCode(69)
    }
    let first = seed ?? .random(in: 0..<1 << 48)
    print("hostile guests from seed \(first)")
    TrapNotice.install()
    let end = ContinuousClock.now + .seconds(seconds)
    var endings: [String: Int] = [:]
    var done = 0
    while done < count, ContinuousClock.now < end {
      let seed = first &+ UInt64(done)
      TrapNotice.set("a trap, with the guest of --seed \(seed)\n")
      let machine = HostileMachine(seed: seed)
      do {
        endings[try machine.run(on: system, limit: .milliseconds(limit)), default: 0] += 1
        guard Self.resident < Self.residentLimit else {
          throw HostileMachine.Harm(description: "the program has grown to \(Self.resident >> 20) MiB")
        }
      } catch {
        print("seed \(seed), \(machine.description): FAILED: \(error)")
        throw ExitCode(1)
      }
      done += 1
    }
    let kinds = endings.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    print("\(done) guests, \(Self.resident >> 20) MiB resident; ended by: \(kinds)")
  }

  /// How much memory the program has, in bytes (proc_pid_statm(5)).
  private static var resident: Int {
    let words = ((try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "").split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4096 : 0
  }
}

/// What is said when the program traps: a signal handler may not do more than write what was prepared.
private enum TrapNotice {
  private static let capacity = 128
  // Sound: allocated once, never freed, written between guests only, on the thread that makes them.
  nonisolated(unsafe) private static let text = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
  nonisolated(unsafe) private static var length = 0

  static func set(_ notice: String) {
    let bytes = notice.utf8.prefix(capacity)
    for (index, byte) in bytes.enumerated() { unsafe text[index] = byte }
    unsafe length = bytes.count
  }

  static func install() {
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT, SIGBUS] {
      signal(number) { number in
        // Sound: write(2) is async-signal-safe, and the buffer lives for ever.
        _ = unsafe write(STDERR_FILENO, TrapNotice.text, TrapNotice.length)
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
