import Glibc
import MachineState
import Support
import SystemPackage
import VMM

/// Takes a snapshot of a machine that runs whenever a signal asks for one, into files with numbers.
final class SnapshotOnSignal {
  private let signal: Int32
  private let file: NumberedFile
  private let guest: String
  private var number = 0

  /// Holds the signal back, in this thread and those that it starts: it stays pending until `take` looks.
  init(_ signal: SnapshotSignal, _ file: NumberedFile, guest: String) {
    self.signal = signal.number
    self.file = file
    self.guest = guest
    var set = set
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Takes a snapshot if one was asked for. The guest goes on while it is written.
  func take(of machine: Machine) {
    guard PendingSignals.take(signal), machine.stop.reason == nil else { return }
    let path = FilePath(nextName())
    do throws(MachineError) {
      let snapshot = try machine.snapshot(guest: guest)
      do throws(SnapshotFileError) {
        try SnapshotFile(path).write(snapshot)
        let pause: TextLine = snapshot.pause.map { "; the guest stood still for \(milliseconds($0))" } ?? ""
        StandardError.print("lapwing: snapshot in '\(path)'\(pause)")
      } catch {
        StandardError.print("lapwing: \(error)")
      }
    } catch {
      StandardError.print("lapwing: no snapshot: \(error)")
    }
  }

  private var set: sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, signal)
    return set
  }

  /// The first number whose file is not there.
  private func nextName() -> String {
    repeat { number += 1 } while unsafe access(file.name(number), F_OK) == 0
    return file.name(number)
  }
}

/// A time as people read it.
func milliseconds(_ duration: Duration) -> String {
  let hundredths = Int((duration / .microseconds(10)).rounded())
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) ms"
}
