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
    var best: (offset: UInt64, width: UInt64)?
    for _ in 0..<4 {
      let before = hostTSC()
      let tsc = try vcpu.msrs([MSR.tsc]).entries.first?.value ?? 0
      let width = hostTSC() &- before
      if width < best?.width ?? .max { best = (tsc &- before &- width / 2, width) }
    }
    let measured = best?.offset ?? 0
    let named = try? vcpu.tscOffset()
    offset = named.flatMap { Int64(bitPattern: $0 &- measured).magnitude <= best?.width ?? 0 ? $0 : nil } ?? measured
  }

  /// What the host's TSC was when the guest's was that.
  func hostCycles(at tsc: UInt64) -> UInt64 { tsc &- offset }
}
