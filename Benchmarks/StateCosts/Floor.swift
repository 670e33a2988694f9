import Glibc
import StateFloor

/// The ioctls alone.
@safe final class Floor {
  // Sound: nobody else sees it, and what it points to lives until `deinit`.
  private let floor: OpaquePointer

  init(vcpus: Int) throws(Failure) {
    var what: UnsafePointer<CChar>?
    var number: Int32 = 0
    guard let floor = unsafe state_floor_open(UInt32(vcpus), &what, &number) else {
      throw unsafe Failure(what, number)
    }
    unsafe self.floor = floor
  }

  deinit { unsafe state_floor_close(floor) }

  /// Takes the state once, in nanoseconds.
  func capture() throws(Failure) -> Double {
    var nanoseconds: UInt64 = 0
    var what: UnsafePointer<CChar>?
    var number: Int32 = 0
    guard unsafe state_floor_capture(floor, &nanoseconds, &what, &number) == 0 else {
      throw unsafe Failure(what, number)
    }
    return Double(nanoseconds)
  }
}

/// Something went wrong: what a person reads on standard error, and how the program ends (sysexits.h).
struct Failure: Error {
  let message: String
  let status: Int32

  init(_ message: String, status: Int32 = 70) {
    self.message = message
    self.status = status
  }

  fileprivate init(_ what: UnsafePointer<CChar>?, _ number: Int32) {
    // Sound: both are constants of the C library and the C program.
    let call = unsafe what.map { unsafe String(cString: $0) } ?? "floor"
    self.init("\(call): \(unsafe String(cString: strerror(number)))", status: 69)
  }
}
