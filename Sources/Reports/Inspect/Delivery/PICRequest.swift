import APIC
import KVM
import MachineState

/// The interrupt that the pair of PICs asks for.
struct PICRequest: Hashable {
  /// 0 to 15.
  let line: Int
  let vector: UInt8

  /// What the pair asks for; nil for nothing (`pic_update_irq` and `kvm_pic_read_irq` in arch/x86/kvm/i8259.c).
  init?(_ pair: MachineState.PICPair) {
    // A slave that has something to say has raised the cascade line of the master.
    guard let line = pair.master.pendingLine(isMaster: true) else { return nil }
    guard line == PIC.cascadeLine else {
      self.line = Int(line)
      vector = pair.master.irqBase &+ line
      return
    }
    // Spurious where the slave has withdrawn: line 7 of the slave.
    let slaveLine = pair.slave.pendingLine(isMaster: false) ?? 7
    self.line = 8 + Int(slaveLine)
    vector = pair.slave.irqBase &+ slaveLine
  }
}

extension VCPUState {
  /// Whether it takes the PIC's interrupts (`kvm_apic_accept_pic_intr` in arch/x86/kvm/lapic.c).
  var listensToPIC: Bool {
    let base = specialRegisters.apicBase
    guard base.isEnabled else { return true }
    let entry = localAPIC.lvt(.lint0)
    return !entry.isMasked && entry.deliveryMode == .external
  }
}
