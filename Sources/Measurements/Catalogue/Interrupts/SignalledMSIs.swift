import GuestContract
import KVM

extension Measurement {
  /// An MSI that the VMM sends by a call, as a device that is emulated there does.
  static let signalledMSIs = latencies(
    "msi.ioctl", "An MSI by KVM_SIGNAL_MSI", from: "the OUT that asks for it", needs: [.signalMSI],
    stimulus: "answers the port exit with KVM_SIGNAL_MSI", .signalMSI)
}
