import Confinement
import Foundation
import SystemPackage
import Testing

@testable import KVM
@testable import Reports

@Suite struct DoctorReportTests {
  /// A host of which everything is known, put together by hand.
  private static let complete = HostSurvey(
    kernelRelease: "6.18.0", backEnd: .kvmIntel, apiVersion: 12, deviceError: nil,
    capabilities: [
      HostSurvey.CapabilityValue(capability: .irqChip, value: 1),
      HostSurvey.CapabilityValue(capability: .x2APICAPI, value: 15),
    ],
    modules: [HostSurvey.Module(name: "kvm_intel", parameters: ["enable_apicv": "Y", "nested": "N"])],
    features: [
      HostFeature(.device, .available, evidence: "/dev/kvm speaks API version 12"),
      HostFeature(.apicv, .missing, evidence: "kvm_intel.enable_apicv is N", hint: "load it with enable_apicv=1"),
      HostFeature(.tdx, .unknown, evidence: "nothing tells"),
    ])

  private static let none = HostSurvey(
    kernelRelease: "6.18.0", backEnd: nil, apiVersion: nil,
    deviceError: KVMError(call: .open, errno: .noSuchFileOrDirectory, detail: "/dev/kvm"), capabilities: [],
    modules: [], features: [HostFeature(.device, .missing, evidence: "no device")])

  @Test func `a host with KVM`() {
    #expect(
      DoctorReport(Self.complete).text() == """
        host  Linux 6.18.0, back end kvm_intel, KVM API 12

          yes  access to /dev/kvm                        /dev/kvm speaks API version 12
          no   virtual-interrupt delivery (APICv, AVIC)  kvm_intel.enable_apicv is N
                                                         load it with enable_apicv=1
          ?    TDX                                       nothing tells

        This host runs guests.
        """)
  }

  @Test func `everything adds capabilities and module parameters`() {
    let text = DoctorReport(Self.complete).text(everything: true)
    #expect(
      text.hasSuffix(
        """

        capabilities
          KVM_CAP_IRQCHIP      1
          KVM_CAP_X2APIC_API  15

        module parameters
          kvm_intel.enable_apicv  Y
          kvm_intel.nested        N

        This host runs guests.
        """))
  }

  @Test func `a host without KVM runs no guests, and the report says why`() {
    let report = DoctorReport(Self.none)
    #expect(!report.canRun)
    let text = report.text()
    #expect(
      text.hasPrefix(
        """
        host  Linux 6.18.0, back end none, no KVM

          no   access to /dev/kvm  no device

        This host runs no guests: open(/dev/kvm) failed: ENOENT (No such file or directory):
        """))
    #expect(text.contains("modprobe"))
  }

  @Test func `colour marks what is there and what is not`() {
    let text = DoctorReport(Self.complete).text(Style(hasColor: true))
    #expect(text.contains("\u{1b}[32myes\u{1b}[0m"))
    #expect(text.contains("\u{1b}[31mno \u{1b}[0m"))
    #expect(text.contains("\u{1b}[33m?  \u{1b}[0m"))
    #expect(text.replacing(/\u{1b}\[\d+m/, with: "") == DoctorReport(Self.complete).text())
  }

  @Test func `the document has these keys and no others`() throws {
    let text = try JSONDocument.text(DoctorReport(Self.complete))
    #expect(
      try DocumentKeys.of(text) == [
        "apiVersion", "backEnd", "canRun", "capabilities.KVM_CAP_IRQCHIP", "capabilities.KVM_CAP_X2APIC_API",
        "features[].evidence", "features[].hint", "features[].id", "features[].state", "features[].title", "kernel",
        "modules.kvm_intel.enable_apicv", "modules.kvm_intel.nested", "schema",
      ])
    #expect(
      try DocumentKeys.of(JSONDocument.text(DoctorReport(Self.none))) == [
        "canRun", "deviceError", "features[].evidence", "features[].id", "features[].state", "features[].title",
        "kernel", "schema",
      ])
  }

  @Test func `what a process can be confined with is told, and why where it cannot`() throws {
    var report = DoctorReport(Self.complete)
    report.confinement = ConfinementReport(ConfinementSupport(landlock: 7, hasFilters: true))
    #expect(
      report.text().hasSuffix(
        """

        confinement of this program
          yes  files: Landlock          version 7
          yes  system calls: seccomp    filters

        This host runs guests.
        """))
    report.confinement = ConfinementReport(ConfinementSupport(landlockError: .notSupportedOnSocket, hasFilters: false))
    #expect(report.text().contains("no   files: Landlock          it is off: add landlock to the kernel's parameter"))
    #expect(report.text().contains("no   system calls: seccomp    this kernel was built without filters"))
    #expect(
      try DocumentKeys.of(JSONDocument.text(report)).filter { $0.hasPrefix("confinement") } == [
        "confinement.landlockHint", "confinement.seccomp",
      ])
  }

  @Test func `a document is read back as it was written`() throws {
    let text = try JSONDocument.text(DoctorReport(Self.complete))
    let report = try JSONDecoder().decode(DoctorReport.self, from: Data(text.utf8))
    #expect(report.schema == "lapwing.doctor/1")
    #expect(try JSONDocument.text(report) == text)
  }

  @Test func `a host whose device is not there is surveyed all the same`() {
    let nowhere = FilePath("/nonexistent")
    let report = DoctorReport(HostSurvey.take(HostPaths(device: nowhere, sys: nowhere, proc: nowhere)))
    #expect(!report.canRun)
    #expect(report.backEnd == nil)
    #expect(report.features.map(\.id) == HostFeature.ID.allCases.map(\.rawValue))
    #expect(report.deviceError?.contains("ENOENT") == true)
  }
}
