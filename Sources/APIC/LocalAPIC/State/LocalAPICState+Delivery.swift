extension LocalAPICState {
  /// The TPR.
  public var taskPriority: Priority {
    get { Priority(rawValue: UInt8(truncatingIfNeeded: self[.taskPriority])) }
    set { self[.taskPriority] = UInt32(newValue.rawValue) }
  }

  /// The PPR as the page has it; the hardware derives it from the TPR and the ISR.
  public var processorPriority: Priority {
    get { Priority(rawValue: UInt8(truncatingIfNeeded: self[.processorPriority])) }
    set { self[.processorPriority] = UInt32(newValue.rawValue) }
  }

  /// The ISR: the interrupts that the processor has taken and not ended.
  public var inService: VectorSet {
    get { vectors(.inService) }
    set { setVectors(.inService, to: newValue) }
  }

  /// The TMR: the vectors whose interrupts are level-triggered.
  public var triggerModes: VectorSet {
    get { vectors(.triggerModes) }
    set { setVectors(.triggerModes, to: newValue) }
  }

  /// The IRR: the interrupts that the local APIC has accepted and the processor has not taken.
  public var interruptRequest: VectorSet {
    get { vectors(.interruptRequest) }
    set { setVectors(.interruptRequest, to: newValue) }
  }

  private func vectors(_ register: LocalAPICRegister) -> VectorSet {
    var vectors = VectorSet()
    for word in 0..<register.wordCount { vectors[word: word] = self[register, word: word] }
    return vectors
  }

  private mutating func setVectors(_ register: LocalAPICRegister, to vectors: VectorSet) {
    for word in 0..<register.wordCount { self[register, word: word] = vectors[word: word] }
  }
}
