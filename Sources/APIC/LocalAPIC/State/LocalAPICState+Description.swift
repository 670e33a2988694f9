#if !hasFeature(Embedded)
extension LocalAPICState: CustomStringConvertible {
  /// What decides the next interrupt, as in `IRR {0x70} ISR {} TPR 0x00 PPR 0x00`.
  public var description: String {
    let state = "IRR \(interruptRequest) ISR \(inService) TPR \(taskPriority) PPR \(processorPriority)"
    return spurious.isSoftwareEnabled ? state : state + ", software disabled"
  }
}
#endif
