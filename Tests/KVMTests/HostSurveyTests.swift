import KVM
import SystemPackage
import Testing

@Suite struct HostSurveyTests {
  @Test func `a host without KVM gets a survey that says so`() throws {
    let survey = try MadeUpHost(["proc/filesystems": "nodev\tsysfs\n"]).survey()
    #expect(survey.backEnd == nil)
    #expect(survey.apiVersion == nil)
    #expect(survey.deviceError?.errno == .noSuchFileOrDirectory)
    #expect(survey[.device].state == .missing)
    #expect(survey[.device].hint?.contains("modprobe") == true)
    #expect(survey[.irqChip].state == .unknown)
    #expect(survey[.apicv].state == .unknown)
    #expect(survey[.tracefs].state == .missing)
    #expect(survey.features.map(\.id) == HostFeature.ID.allCases)
    #expect(!survey.kernelRelease.isEmpty)
  }

  @Test func `VT-x with APICv posts interrupts and may virtualize IPIs`() throws {
    let parameters = "sys/module/kvm_intel/parameters/"
    let survey = try MadeUpHost([
      parameters + "enable_apicv": "Y\n", parameters + "enable_ipiv": "N\n", parameters + "flexpriority": "Y\n",
      "sys/module/kvm/parameters/enable_device_posted_irqs": "Y\n", "sys/kernel/tracing/events/kvm/enable": "0\n",
    ]).survey()
    #expect(survey.backEnd == .kvmIntel)
    #expect(survey[.apicv].state == .available)
    #expect(survey[.apicv].evidence == "kvm_intel.enable_apicv is Y")
    #expect(survey[.postedInterrupts].state == .available)
    #expect(survey[.postedInterrupts].evidence.contains("only with posted interrupts"))
    #expect(survey[.devicePostedInterrupts].state == .available)
    #expect(survey[.ipiVirtualization].state == .missing)
    #expect(survey[.ipiVirtualization].hint?.contains("enable_ipiv=1") == true)
    #expect(survey[.tprShadow].state == .available)
    #expect(survey[.virtualNMI].state == .unknown)
    #expect(survey[.tracefs].state == .available)
    #expect(survey.parameter("enable_apicv", of: "kvm_intel") == "Y")
  }

  @Test func `AMD-V without AVIC has no virtual-interrupt delivery, but a TPR shadow`() throws {
    let survey = try MadeUpHost(["sys/module/kvm_amd/parameters/avic": "0\n"]).survey()
    #expect(survey.backEnd == .kvmAMD)
    #expect(survey[.apicv].state == .missing)
    #expect(survey[.ipiVirtualization].state == .missing)
    #expect(survey[.devicePostedInterrupts].state == .missing)
    #expect(survey[.tprShadow].state == .available)
    #expect(survey[.preemptionTimer].state == .missing)
  }

  @Test func `a software back end has none of the hardware's features`() throws {
    let survey = try MadeUpHost([
      "sys/module/kvm_pvm/parameters/force": "Y\n", "proc/filesystems": "nodev\ttracefs\n",
    ]).survey()
    #expect(survey.backEnd == .kvmPVM)
    #expect(survey[.apicv].state == .missing)
    #expect(survey[.postedInterrupts].evidence == "kvm_pvm is a software back end")
    #expect(survey[.tracefs].hint?.contains("mount -t tracefs") == true)
  }

  @Test func `with both vendors built in, the processor's decides`() throws {
    let both = ["sys/module/kvm_intel/parameters/nested": "Y", "sys/module/kvm_amd/parameters/nested": "1"]
    let amd = try MadeUpHost(both.merging(["proc/cpuinfo": "vendor_id\t: AuthenticAMD\n"]) { first, _ in first })
    #expect(amd.survey().backEnd == .kvmAMD)
    let intel = try MadeUpHost(both.merging(["proc/cpuinfo": "vendor_id\t: GenuineIntel\n"]) { first, _ in first })
    #expect(intel.survey().backEnd == .kvmIntel)
  }

  @Test func `a vendor module that is not known is named`() throws {
    let survey = try MadeUpHost(["sys/module/kvm_new/parameters/x": "1"]).survey()
    #expect(survey.backEnd == .unknown("kvm_new"))
    #expect(survey[.apicv].evidence.contains("kvm_new"))
  }

  @Test(.needsKVM) func `this host has what /dev/kvm answers`() throws {
    let survey = HostSurvey.take()
    #expect(survey.apiVersion == 12)
    #expect(survey[.device].state == .available)
    #expect(survey[.irqChip].state == .available)
    #expect(survey.value(.irqRouting) == (try KVM.open().check(.irqRouting)))
    #expect(survey.capabilities.count == Capability.known.count)
  }
}
