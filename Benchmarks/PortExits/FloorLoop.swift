import FloorMachine
import Foundation

/// The loop in C.
@safe final class FloorLoop {
  // Sound: nobody else sees it, and what it points to lives until `deinit`.
  private var machine = unsafe floor_machine()

  init() throws(Failure) {
    var error = unsafe floor_error()
    // Sound, here and below: the C functions use what they are given for the length of the call.
    var configuration = unsafe floor_configuration()
    unsafe configuration.vcpus = 1
    guard unsafe floor_machine_open(&machine, &configuration, &error) == 0 else { throw unsafe Failure(error) }
    guard unsafe floor_port_loop_load(&machine, &error) == 0 else { throw unsafe Failure(error) }
  }

  deinit { unsafe floor_machine_close(&machine) }

  /// Answers that many exits.
  func nanosecondsPerExit(_ exits: UInt32) throws(Failure) -> Double {
    var error = unsafe floor_error()
    var nanoseconds: UInt64 = 0
    guard unsafe floor_port_loop_run(&machine, exits, &nanoseconds, &error) == 0 else { throw unsafe Failure(error) }
    return Double(nanoseconds) / Double(exits)
  }
}

extension Failure {
  fileprivate init(_ error: floor_error) {
    // Sound: what failed is a constant of the C program.
    let what = unsafe String(cString: error.what)
    let number = unsafe error.number
    let reason = number == 0 ? "" : ": \(unsafe String(cString: strerror(number))) (errno \(number))"
    self.init(message: "floor: \(what)\(reason)", status: unsafe error.status)
  }
}
