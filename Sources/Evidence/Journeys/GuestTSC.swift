import APIC
import KVM

/// How a guest's TSC stands to the host's, which traces have: close enough to tell what came first.
struct GuestTSC: Hashable, Sendable {
  /// What the guest's is ahead, modulo 2^64.
  let offset: UInt64

  init(offset: UInt64) {
    self.offset = offset
  }

  /// That of a vCPU that does not run, unless its TSC is scaled.
  ///
  /// KVM knows the offset; but a back end that cannot give its guests one may name one all the same. So it is measured
  /// too, which is less precise, and what is named counts where it is not far from that.
  ///
  /// - Throws: `KVMError` where KVM does not tell the vCPU's TSC.
  init(of vcpu: VCPU) throws(KVMError) {
    let reading = try TSCReading.closest { () throws(KVMError) in
      try vcpu.msrs([MSR.tsc]).entries.first?.value ?? 0
    }
    let measured = reading.value &- reading.cycles
    let named = (try? vcpu.tscOffset()) ?? measured
    offset = Int64(bitPattern: named &- measured).magnitude <= reading.width ? named : measured
  }

  /// What the host's TSC was when the guest's was that.
  func hostCycles(at tsc: UInt64) -> UInt64 { tsc &- offset }
}
