/// Something went wrong: what a person reads on standard error, and how the program ends.
struct Failure: Error {
  /// Exit statuses; those above 63 are from sysexits.h.
  enum Status {
    static let programFailed: Int32 = 1
    static let missing: Int32 = 69
    static let internalFault: Int32 = 70
  }

  let message: String
  let status: Int32

  init(_ message: String, _ status: Int32) {
    self.message = message
    self.status = status
  }
}
