import KVM
import Testing

/// Whether this host lets the tests use KVM, asked once.
enum Host {
  static let hasKVM = (try? KVM.open()) != nil

  static func has(_ capability: Capability) -> Bool {
    ((try? KVM.open().check(capability)) ?? 0) > 0
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips, and says so, where /dev/kvm cannot be opened.
  static var needsKVM: Self { .enabled(if: Host.hasKVM, "/dev/kvm cannot be opened here: see lapwing doctor") }
}
