import Synchronization

/// What a snapshot keeps of QEMU's and Bochs's test devices.
extension TestLatch: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension TestLatch.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init(value: UInt32(truncatingIfNeeded: try saved.value("value", upTo: UInt64(UInt32.max))))
  }

  var fields: [String: [UInt64]] { ["value": [UInt64(value)]] }
}

extension TestMemory: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// The bytes that are not 0, and where they are: most guests leave all of them alone.
extension TestMemory.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init()
    let count = saved.fields["places"]?.count ?? 1
    let places = try saved.values("places", count: count, upTo: UInt64(TestMemory.size - 1))
    for (place, byte) in zip(places, try saved.values("bytes", count: count, upTo: 0xff)) {
      bytes[Int(place)] = UInt8(truncatingIfNeeded: byte)
    }
  }

  var fields: [String: [UInt64]] {
    let places = bytes.indices.filter { bytes[$0] != 0 }
    return ["places": places.map(UInt64.init), "bytes": places.map { UInt64(bytes[$0]) }]
  }
}

extension ShutdownPort: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension ShutdownPort.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init(matched: Int(try saved.value("matched", upTo: UInt64(ShutdownPort.text.count - 1))))
  }

  var fields: [String: [UInt64]] { ["matched": [UInt64(matched)]] }
}
