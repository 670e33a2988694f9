import KVM

extension DefaultDevices {
  /// The port bus and the memory bus of a machine of that profile.
  func buses(_ configuration: MachineConfiguration) throws(MachineError) -> (ports: Bus, addresses: Bus) {
    var unitTest: UnitTestDevices?
    if let platform = configuration.profile.unitTest {
      unitTest = try kvmCall { () throws(KVMError) in
        try UnitTestDevices(platform, on: self)
      }
    }
    do throws(BusError) {
      guard let unitTest else { return (try portBus(), try memoryBus()) }
      return (try unitTest.portBus(), try unitTest.memoryBus())
    } catch {
      throw .configuration(error.description)
    }
  }
}
