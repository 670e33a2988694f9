import KVM
import Testing

/// Whether this host lets the tests use KVM, asked once.
enum Host {
  static let hasKVM: Bool = {
    do throws(KVMError) {
      _ = try KVM.open()
      return true
    } catch {
      return false
    }
  }()
}

extension Trait where Self == ConditionTrait {
  /// Skips, and says so, where /dev/kvm cannot be opened.
  static var needsKVM: Self { .enabled(if: Host.hasKVM, "/dev/kvm cannot be opened here: see lapwing doctor") }
}
