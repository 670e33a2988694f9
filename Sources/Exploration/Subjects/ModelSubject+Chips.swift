public import APIC
public import KVM
import ReferenceModel

extension ModelSubject {
  /// The IOAPIC, as KVM_GET_IRQCHIP gives it.
  public func ioapic() -> IOAPICState {
    IOAPICState(
      registerSelect: machine.ioapic.selected, id: machine.ioapic.id, irr: machine.ioapicRequests,
      entries: (0..<IOAPIC.pinCount).map { machine.ioapic[$0] })
  }

  func takeIOAPIC(_ state: IOAPICState) {
    machine.setIOAPIC(
      id: state.id, selected: state.registerSelect, requests: state.irr, entries: state.entries)
  }

  /// A PIC, as KVM_GET_IRQCHIP gives it.
  public func pic(_ chip: PIC.Chip) -> PICState {
    let model = chip == .master ? machine.pic.master : machine.pic.slave
    var state = PICState()
    state.lastIRR = model.lastLevels
    state.irr = model.irr
    state.imr = model.imr
    state.isr = model.isr
    state.priorityAdd = model.highestLine
    state.irqBase = model.vectorBase
    state.readRegisterSelect = model.showsInService ? 1 : 0
    state.poll = model.polls ? 1 : 0
    state.specialMask = model.specialMask ? 1 : 0
    state.initState = model.initialization
    state.autoEOI = model.automaticEOI ? 1 : 0
    state.rotateOnAutoEOI = model.rotatesOnAutomaticEOI ? 1 : 0
    state.specialFullyNestedMode = model.specialFullyNested ? 1 : 0
    state.init4 = model.needsICW4 ? 1 : 0
    state.elcr = model.edgeLevel
    state.elcrMask = model.edgeLevelMask
    return state
  }

  func takePIC(_ chip: PIC.Chip, _ state: PICState) {
    var model = ReferencePIC.Chip()
    model.lastLevels = state.lastIRR
    model.irr = state.irr
    model.imr = state.imr
    model.isr = state.isr
    model.highestLine = state.priorityAdd & 7
    model.vectorBase = state.irqBase
    model.showsInService = state.readRegisterSelect != 0
    model.polls = state.poll != 0
    model.specialMask = state.specialMask != 0
    model.initialization = state.initState
    model.automaticEOI = state.autoEOI != 0
    model.rotatesOnAutomaticEOI = state.rotateOnAutoEOI != 0
    model.specialFullyNested = state.specialFullyNestedMode != 0
    model.needsICW4 = state.init4 != 0
    model.edgeLevel = state.elcr
    model.edgeLevelMask = state.elcrMask
    machine.setPIC(chip, model)
  }
}
