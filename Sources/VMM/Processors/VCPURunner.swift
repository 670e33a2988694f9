import KVM

/// Runs one vCPU on the thread that calls it, and answers its exits, until the machine is stopped.
struct VCPURunner: Sendable {
  let index: Int
  let vcpu: VCPU
  let ports: Bus
  let addresses: Bus
  let interrupts: InterruptController
  let stop: StopSwitch
  let hooks: MachineHooks
  let inbox: VCPUInbox

  /// Enters the guest again and again.
  func run() {
    do throws(KVMError) {
      while !stop.isStopped {
        try answer(try vcpu.run())
        inbox.serve(vcpu)
      }
    } catch {
      stop.stop(.runFailed(error, vcpu: index))
    }
  }

  private func answer(_ exit: Exit) throws(KVMError) {
    switch exit {
    case .io(let access): answer(access)
    case .mmio(let access): answer(access)
    // Somebody wants the vCPU out of the guest. Whoever does asks again until it is served, so the request is taken back.
    case .interrupted: vcpu.clearExitRequest()
    // An application processor got its INIT or SIPI: go on.
    case .uninitialized: break
    case .ioapicEOI(let vector): try interrupts.endOfInterrupt(vector)
    case .shutdown: stop.stop(.shutdown(vcpu: index))
    case .systemEvent: stop.stop(.systemEvent("\(exit)", vcpu: index))
    case _ where hooks.answer(vcpu, exit): break
    default: stop.stop(.unrunnable(reason: "\(exit)", vcpu: index))
    }
  }

  private func answer(_ access: MMIOAccess) {
    let width = Int(access.length)
    switch access.direction {
    case .read: vcpu.completeMMIORead(addresses.read(at: access.address, width: width, vcpu: index))
    case .write: addresses.write(access.value, at: access.address, width: width, vcpu: index)
    }
  }

  private func answer(_ access: PortAccess) {
    let port = UInt64(access.port)
    let width = Int(access.width)
    switch access.direction {
    case _ where access.count != 1: answer(string: access)
    case .read:
      vcpu.completePortRead(UInt32(truncatingIfNeeded: ports.read(at: port, width: width, vcpu: index)))
    case .write: ports.write(UInt64(access.value), at: port, width: width, vcpu: index)
    }
  }

  /// INS and OUTS with a count: KVM may hand over up to a page of items at once.
  private func answer(string access: PortAccess) {
    let port = UInt64(access.port)
    let width = Int(access.width)
    switch access.direction {
    case .read:
      // Read first, so that no device runs while the page is locked.
      let values = (0..<access.count).map { _ in ports.read(at: port, width: width, vcpu: index) }
      vcpu.withPortData { data in
        for offset in 0..<data.count {
          data[offset] = UInt8(truncatingIfNeeded: values[offset / width] >> (8 * UInt64(offset % width)))
        }
      }
    case .write:
      guard let bytes = vcpu.withPortData({ data in data.indices.map { data[$0] } }) else { return }
      if width == 1 { return ports.write(string: bytes, at: port, vcpu: index) }
      for offset in stride(from: 0, to: bytes.count - width + 1, by: width) {
        let value = bytes[offset..<offset + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        ports.write(value, at: port, width: width, vcpu: index)
      }
    }
  }
}
