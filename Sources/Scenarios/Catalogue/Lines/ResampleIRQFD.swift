import APIC
import KVM

extension Scenario {
  /// A level-triggered interrupt by eventfd.
  static let resample = Scenario(
    "lines.resample", "A resampling irqfd raises a level-triggered line, and the EOI lowers it and signals its owner",
    exercises: ["irqfd_resampler_ack", "kvm_notify_acked_irq", "KVM_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
    needs: [.capability(.irqFDResample)]
  ) { test in
    let (trigger, resample) = (try EventDescriptor(), try EventDescriptor())
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7b, destination: test[vcpu: 0].destination, triggerMode: .level))
    try test.vm.assignIRQFD(trigger, gsi: 20, resample: resample)
    for round in 1...3 {
      try test.stimulus { try trigger.write() }
      try test.expect(round, of: 0x7b, on: 0)
      var signals: UInt64 = 0
      try test.until("the resample event is signalled in round \(round)") {
        signals = try resample.read()
        return signals > 0
      }
      try test.check("signals in round \(round)", signals, equals: 1)
      try test.check("remote IRR is clear", try !test.redirection(pin: 20).remoteIRR)
    }
    try test.vm.deassignIRQFD(trigger, gsi: 20)
    try trigger.write()
    try test.expect(3, of: 0x7b, on: 0)
  }

  /// Two devices on one line.
  static let resampleShared = Scenario(
    "lines.resample-shared", "All owners of resampling irqfds on one GSI hear of its EOI",
    exercises: ["irqfd_resampler_ack", "irqfd_resampler_notify", "KVM_IRQFD"], needs: [.capability(.irqFDResample)]
  ) { test in
    let triggers = [try EventDescriptor(), try EventDescriptor()]
    let resamples = [try EventDescriptor(), try EventDescriptor()]
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x7c, destination: test[vcpu: 0].destination, triggerMode: .level))
    for (trigger, resample) in zip(triggers, resamples) {
      try test.vm.assignIRQFD(trigger, gsi: 20, resample: resample)
    }
    try test.stimulus { try triggers[1].write() }
    try test.expect(1, of: 0x7c, on: 0)
    for (index, resample) in resamples.enumerated() {
      try test.until("owner \(index) is signalled") { try resample.read() > 0 }
    }
  }
}
