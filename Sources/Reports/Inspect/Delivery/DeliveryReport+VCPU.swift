import APIC
import KVM
import MachineState

extension DeliveryReport {
  /// What a vCPU takes next, in the order in which KVM looks (`kvm_check_and_inject_events` in arch/x86/kvm/x86.c).
  ///
  /// - Parameters:
  ///   - vcpu: the vCPU.
  ///   - pic: what the PIC asks for; nil where there is none in the kernel or it asks for nothing.
  init(_ vcpu: VCPUState, pic: PICRequest? = nil) {
    let events =
      Self.injected(vcpu) + Self.exceptions(vcpu) + Self.systemEvents(vcpu) + Self.external(vcpu, pic)
      + Self.fixed(vcpu)
    let waitsToStart = Self.startObstacle(vcpu.mpState)
    next = nil
    waiting = []
    for var event in events {
      if let waitsToStart { event.obstacles.insert(waitsToStart, at: 0) }
      if event.obstacles.isEmpty {
        guard let next else {
          next = event
          continue
        }
        event.obstacles = [Obstacle(.behind, "after \(next.shortText)")]
      }
      waiting.append(event)
    }
    wakes = vcpu.mpState == .halted ? next != nil : nil
  }

  private static func startObstacle(_ state: MPState) -> Obstacle? {
    switch state {
    case .uninitialized: Obstacle(.waitsForINIT, "the vCPU waits for INIT and SIPI")
    case .initReceived, .apResetHold: Obstacle(.waitsForSIPI, "the vCPU waits for SIPI")
    case .runnable, .halted, .sipiReceived: nil
    }
  }

  /// What was begun is finished first.
  private static func injected(_ vcpu: VCPUState) -> [Event] {
    let events = vcpu.events
    if events.exception.injected {
      return [Event(.injected, [], "exception \(events.exception.number), whose delivery has begun")]
    }
    if events.nmi.injected { return [Event(.injected, [], "NMI, whose delivery has begun")] }
    guard events.interrupt.injected else { return [] }
    let vector = events.interrupt.number
    let origin = events.interrupt.soft ? " of INT" : ""
    return [Event(.injected, [vector], "\(hex(vector, digits: 2))\(origin), whose delivery has begun")]
  }

  private static func exceptions(_ vcpu: VCPUState) -> [Event] {
    let exception = vcpu.events.exception
    return exception.pending ? [Event(.exception, [], "exception \(exception.number)")] : []
  }

  private static func systemEvents(_ vcpu: VCPUState) -> [Event] {
    var found: [Event] = []
    let isInSMM = vcpu.events.smi?.inSMM ?? false
    let management = isInSMM ? [Obstacle(.systemManagement, "the vCPU is in system management mode")] : []
    if vcpu.events.smi?.latchedINIT ?? false { found.append(Event(.initialize, [], "INIT", management)) }
    if vcpu.events.smi?.pending ?? false { found.append(Event(.smi, [], "SMI", management)) }
    let nmi = vcpu.events.nmi
    if nmi.pending > 0 {
      let blocked = nmi.masked ? [Obstacle(.nmiBlocked, "NMIs are blocked until IRET")] : []
      let text = nmi.pending == 1 ? "NMI" : "NMI, \(nmi.pending) of them"
      found.append(Event(.nmi, [], text, blocked + shadows(vcpu)))
    }
    return found
  }

  private static func external(_ vcpu: VCPUState, _ pic: PICRequest?) -> [Event] {
    guard let pic else { return [] }
    let isListening = vcpu.listensToPIC
    // A vCPU that is not the PIC's has nothing of it waiting; the one that it should be is told what is missing.
    guard isListening || vcpu.specialRegisters.apicBase.isBootstrapProcessor else { return [] }
    let masked = isListening ? [] : [Obstacle(.lint0, "LINT0 is \(vcpu.localAPIC.lvt(.lint0)), and no ExtINT")]
    let text = "\(hex(pic.vector, digits: 2)) from the PIC, line \(pic.line)"
    return [Event(.external, [pic.vector], text, masked + maskable(vcpu))]
  }

  private static func fixed(_ vcpu: VCPUState) -> [Event] {
    let page = vcpu.localAPIC
    guard let highest = page.interruptRequest.highest else { return [] }
    let mode = vcpu.specialRegisters.apicBase.mode
    let priority = Priority.processorPriority(
      taskPriority: page.taskPriority, highestInService: page.inService.highest)
    var obstacle: Obstacle?
    if let found = page.deliveryObstacle(mode: mode) { obstacle = Obstacle(found, of: highest) }
    var events = [
      Event(
        .fixed, [highest.rawValue], "\(highest), requested of the local APIC",
        (obstacle.map { [$0] } ?? []) + maskable(vcpu))
    ]
    // What is below the highest waits for it, or for the same as it does.
    let rest = page.interruptRequest.reversed().filter { $0 != highest }
    let (allowed, refused) = (rest.filter { priority.allows($0) }, rest.filter { !priority.allows($0) })
    if !allowed.isEmpty {
      events.append(Event(.fixed, allowed.map(\.rawValue), allowed.words, [Obstacle(.behind, "after \(highest)")]))
    }
    if !refused.isEmpty {
      let why = obstacle ?? Obstacle(.init(priority, page), of: refused[0])
      let others = obstacle == nil ? [] : maskable(vcpu)
      events.append(Event(.fixed, refused.map(\.rawValue), refused.words, [why] + others))
    }
    return events
  }

  /// What holds back interrupts that software can hold back.
  private static func maskable(_ vcpu: VCPUState) -> [Obstacle] {
    let flag = vcpu.allowsInterrupts ? [] : [Obstacle(.interruptFlag, "RFLAGS.IF is 0")]
    return flag + shadows(vcpu)
  }

  private static func shadows(_ vcpu: VCPUState) -> [Obstacle] {
    let shadow = vcpu.events.interrupt.shadow
    return (shadow & 2 != 0 ? [Obstacle(.stiShadow, "the shadow of STI lasts for one more instruction")] : [])
      + (shadow & 1 != 0 ? [Obstacle(.movSSShadow, "the shadow of MOV SS lasts for one more instruction")] : [])
  }
}

extension DeliveryReport.Event {
  fileprivate init(
    _ kind: DeliveryReport.Kind, _ vectors: [UInt8], _ text: String, _ obstacles: [DeliveryReport.Obstacle] = []
  ) {
    self.init(kind: kind, vectors: vectors, text: text, obstacles: obstacles)
  }

  /// The event without where it comes from.
  fileprivate var shortText: String { String(text.prefix { $0 != "," }) }
}

extension DeliveryReport.Obstacle {
  fileprivate init(_ obstacle: DeliveryObstacle, of vector: Vector) {
    let rule = "class \(vector.priorityClass) of \(vector) is not above"
    switch obstacle {
    case .disabled: self.init(.apicDisabled, "the local APIC is disabled in IA32_APIC_BASE")
    case .nothingRequested: self.init(.behind, "nothing is requested")
    case .taskPriority(let priority): self.init(.taskPriority, "\(rule) the TPR, \(priority)")
    case .inService(let served): self.init(.inService, "\(rule) \(served), which is in service")
    }
  }
}

extension DeliveryObstacle {
  /// Which of the two the processor priority comes from.
  fileprivate init(_ priority: Priority, _ page: LocalAPICState) {
    guard let served = page.inService.highest, served.priorityClass > page.taskPriority.class else {
      self = .taskPriority(page.taskPriority)
      return
    }
    self = .inService(served)
  }
}

extension [Vector] {
  fileprivate var words: String { map(\.description).joined(separator: ", ") }
}
