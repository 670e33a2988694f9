public import Support
import VMM

/// Ends a case from another thread than the one that it runs on: its machine stops, which frees whoever waits for one of
/// its vCPUs, and its scenario fails.
public typealias CaseControl = WorkControl

extension WorkControl {
  /// Says which machine to stop; nil once it has ended.
  func attach(_ machine: Machine?) {
    guard let machine else { return whenEnded(nil) }
    whenEnded { machine.end(.timeLimit) }
  }
}
