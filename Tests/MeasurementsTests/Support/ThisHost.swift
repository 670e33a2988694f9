import KVM
import Testing

/// Whether this host lets the tests use KVM, asked once.
enum ThisHost {
  static let hasKVM = (try? KVM.open()) != nil
}

extension Trait where Self == ConditionTrait {
  /// Skips, and says so, where /dev/kvm cannot be opened.
  static var needsKVM: Self { .enabled(if: ThisHost.hasKVM, "/dev/kvm cannot be opened here: see lapwing doctor") }
}
