import ForeignStates
import MachineState
import Rules
import Support

extension MachineState {
  /// Says on standard error what a guest will trip over that goes on from this state: the contradictions in it.
  ///
  /// - Parameter file: the state's file.
  func warnOfContradictions(in file: String) {
    let findings = InspectableState(self).findings().filter { $0.certainty == .contradiction }
    for finding in findings.prefix(8) {
      StandardError.print("lapwing: '\(file)': \(finding.owner): \(finding.seen) (\(finding.rule))")
    }
    guard !findings.isEmpty else { return }
    let rest = findings.count > 8 ? ", \(findings.count - 8) more" : ""
    StandardError.print("lapwing: the guest may hang\(rest); 'lapwing inspect --check \(TextLine(file))' says why")
  }
}
