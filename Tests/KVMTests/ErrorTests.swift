import KVM
import SystemPackage
import Testing

@Suite struct ErrorTests {
  @Test func `an error names the call, the errno and what to do`() {
    let error = KVMError(call: .createIRQChip, errno: .fileExists)
    #expect(
      "\(error)"
        == "KVM_CREATE_IRQCHIP failed: EEXIST (File exists): the VM has an irqchip already, full or split")
  }

  @Test func `an error without a hint stops at the errno`() {
    let error = KVMError(call: .getRegs, errno: .badFileDescriptor)
    #expect("\(error)" == "KVM_GET_REGS failed: EBADF (Bad file descriptor)")
  }

  @Test func `permission is explained with the group`() {
    #expect(KVMError(call: .open, errno: .permissionDenied).hint?.contains("usermod -aG kvm") == true)
  }

  @Test func `an errno that the library has no name for shows its number`() {
    #expect("\(KVMError(call: .run, errno: Errno(rawValue: 133)))".hasPrefix("KVM_RUN failed: errno 133 ("))
  }

  @Test(arguments: [
    (KVMCall.setGSIRouting, Errno.invalidArgument), (.createVCPU, .fileExists), (.irqFD, .resourceBusy),
    (.getLAPIC, .invalidArgument), (.reinjectControl, .noSuchAddressOrDevice), (.setBootCPUID, .resourceBusy),
    (.createPIT2, .noSuchFileOrDirectory), (.enableCap, .invalidArgument), (.setUserMemoryRegion, .fileExists),
    (.ioEventFD, .fileExists), (.interrupt, .noSuchAddressOrDevice),
  ])
  func `refusals that users meet come with advice`(call: KVMCall, errno: Errno) throws {
    let hint = try #require(KVMError(call: call, errno: errno).hint)
    #expect(!hint.isEmpty && !hint.hasSuffix("."))
  }

  @Test func `every ioctl goes by the name that the KVM API has for it`() {
    let systemCalls: Set<KVMCall> = [.open, .mmap, .eventfd, .read, .write]
    for call in KVMCall.allCases where !systemCalls.contains(call) {
      #expect(call.rawValue.hasPrefix("KVM_"))
    }
  }
}
