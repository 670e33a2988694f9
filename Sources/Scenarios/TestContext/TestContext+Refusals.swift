import KVM
import SystemPackage
import VMM

extension TestContext {
  /// Expects KVM to refuse a call with this errno. The call is the stimulus.
  func expectRefusal(_ what: String, _ errno: Errno, _ call: () throws(KVMError) -> Void) throws {
    var answer: Errno?
    try stimulus {
      do throws(KVMError) {
        try call()
      } catch {
        answer = error.errno
      }
    }
    try check("KVM refuses \(what)", answer == errno, saw: answer.map { "\($0)" } ?? "no refusal")
  }
}
