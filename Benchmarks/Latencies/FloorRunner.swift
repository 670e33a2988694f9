import APIC
import FloorMachine
import Foundation
import GuestImages
import Measurements

/// Takes rounds of measurements with the floor: the same guest, with the same words, on a machine in C.
@safe struct FloorRunner {
  let samples: Int
  // Sound, here and below: the table of images is constant, and its names are terminated.
  private let image: UnsafePointer<lapwing_guest_image>

  init(samples: Int) throws(Failure) {
    self.samples = samples
    let images = unsafe (0..<lapwing_guest_image_count).map { unsafe lapwing_guest_image_at($0) }
    guard let image = unsafe images.first(where: { unsafe String(cString: $0.pointee.name) == "bench" }) else {
      throw Failure("there is no guest 'bench'", Failure.internalFault)
    }
    unsafe self.image = image
  }

  /// The median of one round, in nanoseconds.
  func median(of measured: MeasurementCase) throws(Failure) -> Double {
    var cycles = [UInt64](repeating: 0, count: samples)
    var kHz: UInt32 = 0
    // Sound: the words live for the length of the call, and the machine does not outlive it.
    let error: Failure? = unsafe measured.arguments(samples: samples).withCString { words in
      var configuration = unsafe floor_configuration()
      unsafe configuration.vcpus = UInt32(measured.vcpus)
      unsafe configuration.xapic = measured.mode == .x2APIC ? 0 : 1
      unsafe configuration.arguments = words
      return unsafe run(&configuration, &cycles, &kHz, measured.id)
    }
    if let error { throw error }
    return roundMedian(cycles, kHz: kHz)
  }

  private func run(
    _ configuration: inout floor_configuration, _ cycles: inout [UInt64], _ kHz: inout UInt32, _ id: String
  ) -> Failure? {
    var machine = unsafe floor_machine()
    var error = unsafe floor_error()
    var outcome = floor_outcome()
    // Sound, here and below: the C functions use what they are given for the length of the call.
    guard unsafe floor_machine_open(&machine, &configuration, &error) == 0 else { return unsafe Failure(error) }
    defer { unsafe floor_machine_close(&machine) }
    guard unsafe floor_machine_load(&machine, image.pointee.bytes, image.pointee.size, &error) == 0,
      unsafe floor_machine_tsc_khz(&machine, &kHz, &error) == 0,
      unsafe floor_machine_run(&machine, &outcome, &error) == 0
    else { return unsafe Failure(error) }
    guard outcome.ending == FLOOR_FINISHED, outcome.value == 0 else {
      return Failure("\(id) with the floor: the guest ended with \(outcome.value)", Failure.guestFailed)
    }
    let count = unsafe floor_machine_values(&machine, &cycles, cycles.count)
    guard count == cycles.count else {
      return Failure("\(id) with the floor: \(count) of \(cycles.count) samples", Failure.guestFailed)
    }
    return nil
  }
}

extension Failure {
  fileprivate init(_ error: floor_error) {
    // Sound: what failed is a constant of the C program.
    let what = unsafe String(cString: error.what)
    let number = unsafe error.number
    let reason = number == 0 ? "" : ": \(unsafe String(cString: strerror(number))) (errno \(number))"
    unsafe self.init("floor: \(what)\(reason)", error.status)
  }
}
