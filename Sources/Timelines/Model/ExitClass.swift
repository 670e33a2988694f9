/// What an exit has to do with interrupts, by its name.
enum ExitClass: String {
  case interrupt
  case window
  case apic
  case halted
  case outside

  /// That of an exit as the kernel names it, of VT-x or SVM.
  init(_ name: String) {
    let name = name.uppercased()
    func has(_ words: String...) -> Bool { words.contains { name.contains($0) } }
    if has("EXTERNAL_INTERRUPT") || name == "INTR" || name == "INTERRUPT" {
      self = .interrupt
    } else if has("INTERRUPT_WINDOW", "PENDING_INTERRUPT", "VINTR") {
      self = .window
    } else if has("EOI", "APIC", "TPR", "MSR_WRITE", "WRITE_MSR") || name == "MSR" {
      self = .apic
    } else {
      self = has("HLT", "HALT") ? .halted : .outside
    }
  }
}
