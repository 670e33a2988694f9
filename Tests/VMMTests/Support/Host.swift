import Foundation
import KVM
import Testing

/// Whether this host lets the tests use KVM, asked once.
enum Host {
  static let hasKVM: Bool = {
    do throws(KVMError) {
      _ = try KVM.open()
      return true
    } catch {
      let warning = "WARNING: no guest is run, so these tests prove little: \(error)\n"
      FileHandle.standardError.write(Data(warning.utf8))
      return false
    }
  }()
}

extension Trait where Self == ConditionTrait {
  /// Skips, and says so, where /dev/kvm cannot be opened.
  static var needsKVM: Self { .enabled(if: Host.hasKVM, "/dev/kvm cannot be opened here: see lapwing doctor") }
}
