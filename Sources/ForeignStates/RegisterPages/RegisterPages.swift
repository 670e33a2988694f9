public import APIC
import MachineState
import Support

/// Register pages of local APICs in a file: 1024 bytes each (`struct kvm_lapic_state`), or pages of 4 KiB (virtual-APIC
/// pages, SDM volume 3C, 30.1) that have the same registers at their beginning.
enum RegisterPages {
  /// The size of a whole page.
  static let wholePage = 4096
  /// More vCPUs than a machine can have.
  static let sizeLimit = 4096 * wholePage

  /// The pages in a file.
  ///
  /// - Parameters:
  ///   - bytes: the file.
  ///   - size: 1024 or 4096; nil to tell it by the content.
  static func pages(_ bytes: [UInt8], size: Int?) throws(ForeignStateError) -> [LocalAPICState] {
    let size = if let size { size } else { try Self.size(bytes) }
    guard !bytes.isEmpty, bytes.count % size == 0 else {
      throw ForeignStateError(
        .pages, at: UInt64(bytes.count), "\(size) bytes expected for each page, not \(bytes.count) in all")
    }
    guard bytes.count <= sizeLimit else { throw ForeignStateError(.pages, "at most 4096 pages expected") }
    var pages: [LocalAPICState] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      do throws(MalformedState) {
        pages.append(try LocalAPICState(page: Array(bytes[start..<start + LocalAPICState.pageSize])))
      } catch {
        throw ForeignStateError(.pages, at: UInt64(start), "\(error)")
      }
    }
    return pages
  }

  /// The size of the pages, told by the version register, which no local APIC has as 0, and by what lies behind.
  private static func size(_ bytes: [UInt8]) throws(ForeignStateError) -> Int {
    let small = LocalAPICState.pageSize
    // One page needs no telling.
    guard bytes.count > small else { return small }
    func hasVersion(_ start: Int) -> Bool { bytes.littleEndian(UInt32.self, at: start + 0x30) ?? 0 != 0 }
    func isEmpty(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy { $0 == 0 } }
    let isOfSmall = bytes.count % small == 0 && stride(from: 0, to: bytes.count, by: small).allSatisfy(hasVersion)
    let isOfWhole =
      bytes.count % wholePage == 0
      && stride(from: 0, to: bytes.count, by: wholePage).allSatisfy { isEmpty($0 + small..<$0 + wholePage) }
    guard isOfSmall != isOfWhole else {
      throw ForeignStateError(
        .pages, at: UInt64(small),
        "pages of 1024 bytes that all have a version, or of 4096 that are 0 from byte 0x400 on, "
          + "expected: --from page or "
          + "--from apic-page says which they are")
    }
    return isOfSmall ? small : wholePage
  }
}

extension InspectableState {
  /// The register pages of local APICs alone (`struct kvm_lapic_state`).
  ///
  /// - Parameter pages: the pages, one a vCPU.
  public init(pages: [LocalAPICState]) {
    self.init(format: .pages)
    for (index, page) in pages.enumerated() {
      var vcpu = InspectableVCPU(unknown: index)
      vcpu.set(page: page)
      append(vcpu)
    }
  }
}
