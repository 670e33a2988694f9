import APIC
import KVM
import VMM

extension Scenario {
  /// To a vCPU inside the guest.
  static let msiRunning = Scenario(
    "msi.running", "An MSI interrupts a vCPU that runs", vcpus: 2,
    exercises: ["kvm_set_msi", "kvm_irq_delivery_to_apic_fast", "vmx_deliver_posted_interrupt", "KVM_SIGNAL_MSI"],
    path: .postedOrSoftware
  ) { test in
    let times = 5
    try test.leaveProcessorsTo(1)
    try test[vcpu: 1].spin(until: 0x71, reaches: times)
    try test.stimulus {
      for count in 1...times {
        let answer = try test.signal(MSIMessage(vector: 0x71, destination: test[vcpu: 1].destination))
        try test.check("KVM_SIGNAL_MSI answers", answer, equals: .delivered)
        try test.until("MSI \(count) is taken") { test.taken(0x71, on: 1) >= count }
      }
    }
    try test.expect(times, of: 0x71, on: 1)
    try test.expectNone(of: 0x71, on: 0)
  }

  /// To a local APIC that software has switched off.
  static let msiDisabled = Scenario(
    "msi.disabled", "An MSI to a software-disabled local APIC is blocked, and not kept", vcpus: 2,
    exercises: ["__apic_accept_irq", "KVM_SIGNAL_MSI", "SDM 3A 12.4.7.2"]
  ) { test in
    let vcpu = test[vcpu: 1]
    let message = MSIMessage(vector: 0x71, destination: vcpu.destination)
    let off = SpuriousInterruptVectorRegister(isSoftwareEnabled: false)
    try test.stimulus { try vcpu.write(.spurious, off.rawValue) }
    try test.check("KVM_SIGNAL_MSI answers", try test.signal(message), equals: .blocked)
    try vcpu.write(.spurious, SpuriousInterruptVectorRegister(isSoftwareEnabled: true).rawValue)
    try test.expectNone(of: 0x71, on: 1)
    try test.check("KVM_SIGNAL_MSI answers after that", try test.signal(message), equals: .delivered)
    try test.expect(1, of: 0x71, on: 1)
  }

  /// To an APIC id that no vCPU has.
  static let msiAbsent = Scenario(
    "msi.absent", "An MSI to an APIC id that nobody has is blocked", vcpus: 2,
    exercises: ["kvm_irq_delivery_to_apic", "kvm_apic_map_get_dest_lapic", "KVM_SIGNAL_MSI"]
  ) { test in
    try test.stimulus {
      for id: UInt32 in [2, 3, 17, 254] {
        let answer = try test.signal(MSIMessage(vector: 0x71, destination: .physical(id)))
        try test.check("KVM_SIGNAL_MSI to id \(id) answers", answer, equals: .blocked)
      }
      try test.signal(MSIMessage(vector: 0x72, destination: test[vcpu: 1].destination))
    }
    try test.expect(1, of: 0x72, on: 1)
    for vcpu in test.vcpus { try test.expectNone(of: 0x71, on: vcpu.index) }
  }

  /// The same vector again before it was taken.
  static let msiCoalesced = Scenario(
    "msi.coalesced", "MSIs with the same vector that wait together are one interrupt", vcpus: 2,
    exercises: ["__apic_accept_irq", "KVM_SIGNAL_MSI", "SDM 3A 12.8.4"]
  ) { test in
    let vcpu = test[vcpu: 1]
    try vcpu.disableInterrupts()
    try test.stimulus {
      for _ in 0..<4 {
        let answer = try test.signal(MSIMessage(vector: 0x71, destination: vcpu.destination))
        try test.check("KVM_SIGNAL_MSI answers", answer, equals: .delivered)
      }
    }
    try test.expectHeld(0x71, on: 1, by: "the interrupt flag")
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x71, on: 1)
  }

  /// Every vector that a message may have.
  static let msiVectors = Scenario(
    "msi.vectors", "Every vector from 32 to 254 arrives once, the highest first", vcpus: 2,
    exercises: ["apic_find_highest_irr", "kvm_cpu_get_interrupt", "SDM 3A 12.8.4"]
  ) { test in
    let vcpu = test[vcpu: 1]
    let vectors = (32...254).map { Vector(rawValue: $0) }
    try vcpu.disableInterrupts()
    try test.stimulus {
      for vector in vectors { try test.signal(MSIMessage(vector: vector, destination: vcpu.destination)) }
    }
    try vcpu.enableInterrupts()
    var taken: [Vector] = []
    try test.until("vCPU 1 takes all of them") {
      for record in test.machine.log.next() where record.vcpu == 1 {
        if case .interrupt(let vector, _) = record.event { taken.append(vector) }
      }
      return taken.count >= vectors.count
    }
    try test.check("the vectors in the order in which they are taken", taken, equals: Array(vectors.reversed()))
  }

  /// Many at once.
  static let msiBurst = Scenario(
    "msi.burst", "Of a burst of MSIs to a vCPU that runs none is lost and none comes twice", vcpus: 2,
    exercises: ["__apic_accept_irq", "pi_test_and_set_on", "vmx_sync_pir_to_irr", "KVM_SIGNAL_MSI"],
    path: .postedOrSoftware
  ) { test in
    let vectors = (0x40..<0x80).map(Vector.init(rawValue:))
    let rounds = 3
    // The highest ends the spinning, and is sent last.
    let last: Vector = 0xf0
    try test.leaveProcessorsTo(1)
    try test[vcpu: 1].spin(until: last, reaches: 1)
    try test.stimulus {
      for round in 1...rounds {
        for vector in vectors { try test.signal(MSIMessage(vector: vector, destination: test[vcpu: 1].destination)) }
        try test.until("round \(round) is taken") {
          vectors.allSatisfy { test.machine.recorded($0, on: 1) >= round }
        }
      }
      try test.signal(MSIMessage(vector: last, destination: test[vcpu: 1].destination))
    }
    try test.expect(1, of: last, on: 1)
    for vector in vectors {
      try test.check("interrupts through \(vector)", test.machine.recorded(vector, on: 1), equals: rounds)
    }
  }
}

extension Scenario {
  /// From outside, to a vCPU that KVM has put to sleep.
  static let msiHalted = Scenario(
    "msi.halted", "An MSI wakes a halted vCPU", vcpus: 2,
    exercises: ["kvm_set_msi", "kvm_vcpu_wake_up", "KVM_SIGNAL_MSI"]
  ) { test in
    try test[vcpu: 1].halt()
    try test.stimulus {
      let answer = try test.signal(MSIMessage(vector: 0x70, destination: test[vcpu: 1].destination))
      try test.check("KVM_SIGNAL_MSI answers", answer, equals: .delivered)
    }
    try test.expect(1, of: 0x70, on: 1)
  }
}
