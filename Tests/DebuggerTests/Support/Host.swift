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
      FileHandle.standardError.write(Data("WARNING: no guest is debugged: \(error)\n".utf8))
      return false
    }
  }()
}

extension Trait where Self == ConditionTrait {
  /// Skips, and says so, where /dev/kvm cannot be opened.
  static var needsKVM: Self { .enabled(if: Host.hasKVM, "/dev/kvm cannot be opened here: see lapwing doctor") }
}
