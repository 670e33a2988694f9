import Glibc
import MachineState
import Support
import SystemPackage
import VMM

/// Takes snapshots of a machine into files with numbers: whenever a signal asks for one, or when its guest has failed.
final class NumberedSnapshots {
  private let signal: Int32?
  private let file: NumberedFile
  private let guest: String
  private var number = 0

  /// Holds the signal back, in this thread and those that it starts: it stays pending until `takeIfAsked` looks.
  init(_ occasion: SnapshotOccasion, _ file: NumberedFile, guest: String) {
    signal = occasion.signal
    self.file = file
    self.guest = guest
    guard let signal else { return }
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, signal)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Takes a snapshot if the signal has come. The guest goes on while it is written.
  func takeIfAsked(of machine: Machine) {
    guard let signal, PendingSignals.take(signal), machine.stop.reason == nil else { return }
    take(of: machine)
  }

  /// Takes one of a machine whose guest has failed, as it was left.
  func takeAfterFailure(of machine: Machine) { if signal == nil { take(of: machine) } }

  private func take(of machine: Machine) {
    let path = FilePath(nextName())
    do throws(MachineError) {
      let snapshot = try machine.snapshot(guest: guest)
      do throws(SnapshotFileError) {
        try SnapshotFile(path).write(snapshot)
        let pause: TextLine =
          signal == nil ? "" : snapshot.pause.map { "; the guest stood still for \(milliseconds($0))" } ?? ""
        StandardError.print("lapwing: snapshot in '\(path)'\(pause)")
      } catch {
        StandardError.print("lapwing: \(error)")
      }
    } catch {
      StandardError.print("lapwing: no snapshot: \(error)")
    }
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
