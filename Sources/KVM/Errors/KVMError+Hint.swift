import SystemPackage

extension KVMError {
  /// What this answer of this call usually means and what to do about it; nil when errno says it all.
  ///
  /// Sources: the KVM API document and the kernel functions that answer so (`arch/x86/kvm`, `virt/kvm`).
  public var hint: String? {
    // A machine, a vCPU, an event and a set of statistics are a descriptor each.
    if errno == .tooManyOpenFiles { return "the process has no descriptor left; raise its limit (ulimit -n)" }
    return switch call {
    case .open, .getAPIVersion, .mmap, .eventfd, .read, .write: hostHint
    case .createVM, .createVCPU, .setUserMemoryRegion, .enableCap, .setBootCPUID, .setTSSAddr, .setIdentityMapAddr,
      .getDirtyLog, .clearDirtyLog, .setMSRFilter, .getStatsFD:
      machineHint
    case .createIRQChip, .getIRQChip, .setIRQChip, .createPIT2, .getPIT2, .setPIT2, .reinjectControl, .setGSIRouting,
      .irqLine, .irqLineStatus, .signalMSI, .irqFD, .ioEventFD:
      interruptHint
    default: vcpuHint
    }
  }

  private var hostHint: String? {
    switch (call, errno) {
    case (.open, .noSuchFileOrDirectory), (.open, .operationNotSupportedByDevice), (.open, .noSuchAddressOrDevice):
      "this host offers no KVM here; load the vendor module (modprobe kvm_intel or kvm_amd), enable virtualization in the "
        + "firmware, or, inside a VM, ask its owner for nested virtualization"
    case (.open, .permissionDenied), (.open, .notPermitted):
      "your user may not use KVM; join the device's group (sudo usermod -aG kvm $USER, then log in again) or run as root"
    case (.getAPIVersion, .inappropriateIOCTLForDevice):
      "what is at /dev/kvm is not KVM's device: load kvm_intel or kvm_amd, and have it made anew (udev, or mknod c 10 232)"
    case (.mmap, .noMemory): "the address space or its limit is used up; ask for less memory or raise ulimit -v"
    case (.read, .resourceTemporarilyUnavailable): "the event has not been signalled since it was last read"
    case (.read, .badMessage): "the kernel's statistics do not follow the format of KVM_GET_STATS_FD"
    default: nil
    }
  }

  private var machineHint: String? {
    switch (call, errno) {
    case (.createVM, .invalidArgument): "this host cannot make VMs of that type; KVM_CAP_VM_TYPES lists those it can"
    case (.createVM, .resourceBusy): "another hypervisor holds the processor's virtualization extension"
    case (.createVCPU, .invalidArgument):
      "the id is not below KVM_CAP_MAX_VCPU_ID, or the VM has KVM_CAP_MAX_VCPUS already"
    case (.createVCPU, .fileExists): "the VM has a vCPU with this id; every id, which is its APIC ID, is used once"
    case (.setUserMemoryRegion, .invalidArgument):
      "guest address and size must be whole pages without wrapping, the slot below KVM_CAP_NR_MEMSLOTS, the flags "
        + "supported, and a slot that is set can only move or change its flags: remove it first"
    case (.setUserMemoryRegion, .fileExists): "the guest addresses overlap those of another slot"
    case (.enableCap, .invalidArgument):
      "this kernel lacks the capability, refuses the arguments, or wants it enabled earlier (most: before the first vCPU, "
        + "split irqchip: before any irqchip)"
    case (.enableCap, .fileExists): "it is enabled already, or an irqchip exists"
    case (.setBootCPUID, .resourceBusy): "choose the boot vCPU before the first vCPU is created"
    case (.setIdentityMapAddr, .invalidArgument): "set the identity map before the first vCPU is created"
    case (.getDirtyLog, .noSuchFileOrDirectory), (.clearDirtyLog, .noSuchFileOrDirectory):
      "the slot does not exist or was set without .logDirtyPages"
    case (.clearDirtyLog, .invalidArgument):
      "first page and page count must be multiples of 64 (the last range may end with the slot), inside the slot"
    case (.setMSRFilter, .invalidArgument):
      "a range is empty, too long or has unknown flags, or all is denied without a range"
    case (.getStatsFD, .inappropriateIOCTLForDevice): "binary statistics need Linux 5.14 (KVM_CAP_BINARY_STATS_FD)"
    default: nil
    }
  }

  private var interruptHint: String? {
    switch (call, errno) {
    case (.createIRQChip, .fileExists): "the VM has an irqchip already, full or split"
    case (.createIRQChip, .invalidArgument): "create the irqchip before the first vCPU"
    case (.getIRQChip, .noSuchAddressOrDevice), (.setIRQChip, .noSuchAddressOrDevice):
      "PIC and IOAPIC are not in the kernel: create the irqchip first; a split irqchip has neither"
    case (.createPIT2, .noSuchFileOrDirectory): "the PIT needs a full in-kernel irqchip: create that first"
    case (.createPIT2, .fileExists): "the VM has a PIT already"
    case (.getPIT2, .noSuchAddressOrDevice), (.setPIT2, .noSuchAddressOrDevice),
      (.reinjectControl, .noSuchAddressOrDevice):
      "the VM has no in-kernel PIT: create it first"
    case (.setGSIRouting, .invalidArgument):
      "a GSI is not below KVM_CAP_IRQ_ROUTING, a pin is not one of its chip's (PIC: 8 each, IOAPIC: 24), PIC or IOAPIC "
        + "routes were given to a split irqchip, a GSI has an MSI route beside another route, or an MSI address has "
        + "high bits that need 32-bit x2APIC IDs"
    case (.setGSIRouting, .argListTooLong): "the table is longer than KVM_CAP_IRQ_ROUTING allows"
    case (.irqLine, .noSuchAddressOrDevice), (.irqLineStatus, .noSuchAddressOrDevice):
      "the VM has no in-kernel interrupt controller: create the irqchip first"
    case (.signalMSI, .invalidArgument): "the VM has no in-kernel local APIC: create the irqchip first"
    case (.signalMSI, .notPermitted):
      "the address has high bits, which need 32-bit x2APIC IDs (KVM_CAP_X2APIC_API) and a low byte of 0, or nobody is there"
    case (.irqFD, .invalidArgument):
      "the VM has no in-kernel interrupt controller, or a resampled event was given to a split one"
    case (.irqFD, .resourceBusy): "the event is assigned to a GSI already: deassign it first"
    case (.irqFD, .badFileDescriptor), (.ioEventFD, .badFileDescriptor): "the descriptor is not an open eventfd"
    case (.ioEventFD, .fileExists): "an event with the same address, length and match is assigned already"
    case (.ioEventFD, .noSuchFileOrDirectory): "no event was assigned with this address, length and match"
    case (.ioEventFD, .invalidArgument): "the length must be 0 (any, without match), 1, 2, 4 or 8, and must not wrap"
    case (.ioEventFD, .noSpace): "the VM's bus holds no more devices (the limit is 1000 events and devices a bus)"
    default: nil
    }
  }

  private var vcpuHint: String? {
    switch (call, errno) {
    case (.run, .badAddress): "the guest reached memory that KVM cannot map: a slot's memory is gone or unreadable"
    case (.run, .invalidArgument): "the state that was set is one the processor cannot enter"
    case (.run, .resourceTemporarilyUnavailable):
      "the host has no thread for KVM; raise the limit on this user's processes (ulimit -u)"
    case (.run, .ioError): "KVM refused to go on after an internal error"
    case (.interrupt, .noSuchAddressOrDevice): "KVM_INTERRUPT is for a PIC in user space; raise a line or signal an MSI"
    case (.interrupt, .fileExists): "an interrupt is queued already: run until the window opens"
    case (.getLAPIC, .invalidArgument), (.setVAPICAddr, .invalidArgument):
      "the vCPU has no in-kernel local APIC: create the irqchip before the vCPU"
    case (.setLAPIC, .invalidArgument):
      "the vCPU has no in-kernel local APIC, or the ID register does not hold its id (x2APIC: all 32 bits must)"
    case (.setMPState, .invalidArgument): "x86 knows no such state, or it needs an in-kernel local APIC"
    case (.setGuestDebug, .resourceBusy): "an exception waits for delivery: run the vCPU first"
    case (.smi, .invalidArgument), (.smi, .inappropriateIOCTLForDevice):
      "this kernel or back end has no system management mode (KVM_CAP_X86_SMM)"
    case (.kvmclockCtrl, .invalidArgument): "the guest has not switched kvmclock on"
    case (.setTSCKHz, .invalidArgument): "the host cannot scale the TSC to that frequency (KVM_CAP_TSC_CONTROL)"
    case (.getTSCKHz, .ioError): "the host's TSC is unstable"
    case (.setSregs, .invalidArgument), (.setSregs2, .invalidArgument):
      "control registers, EFER, segments or the APIC base contradict each other or the vCPU's CPUID"
    case (.setCPUID2, .invalidArgument): "CPUID cannot change once the vCPU has run"
    case (.setMSRs, .invalidArgument), (.getMSRs, .argListTooLong), (.setMSRs, .argListTooLong):
      "at most 255 MSRs go in one call"
    case (.setDebugRegs, .invalidArgument): "DR6 and DR7 have reserved high bits that must be zero"
    case (.setXCRs, .invalidArgument): "XCR0 asks for state that the vCPU's CPUID does not offer"
    case (.setXSAVE, .invalidArgument): "the area is shorter than this VM's XSAVE state or has bits this host lacks"
    case (.getNestedState, .invalidArgument), (.setNestedState, .invalidArgument):
      "the back end has no nested virtualization, or the state is of another kind of host"
    default: nil
    }
  }
}
