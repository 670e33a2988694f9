import KVM
import SystemPackage

/// The virtio devices of a machine, with their threads.
struct VirtioDevices: Sendable {
  /// The devices, in the order of the configuration.
  let functions: [VirtioFunction]
  private let workers: [VirtioWorker]

  /// - Parameters:
  ///   - devices: what there is to be.
  ///   - base: the devices that they are plugged in with.
  ///   - gate: where their threads stand still while the machine is paused, after its vCPUs.
  init(_ devices: [VirtioDevice], on base: DefaultDevices, gate: PauseGate) throws(MachineError) {
    var (functions, workers): ([VirtioFunction], [VirtioWorker]) = ([], [])
    for (index, device) in devices.enumerated() {
      let model: any VirtioModel
      do throws(DiskError) { model = try device.model(index) } catch { throw .disk(error) }
      let function = try kvmCall { () throws(KVMError) in try VirtioFunction(index, device, model, on: base) }
      do throws(Errno) {
        workers.append(try VirtioWorker(function, gate: gate, index: base.vcpus.count + index))
      } catch {
        throw .thread(errno: error.rawValue)
      }
      functions.append(function)
    }
    (self.functions, self.workers) = (functions, workers)
  }

  /// By their places on the PCI bus.
  var places: [UInt8: any PCIFunction] {
    var places: [UInt8: any PCIFunction] = [:]
    for (index, function) in functions.enumerated() { places[VirtioPlace.function(index)] = function }
    return places
  }

  /// Starts the threads.
  func start() throws(MachineError) {
    do throws(Errno) {
      for worker in workers { try worker.start() }
    } catch {
      throw .thread(errno: error.rawValue)
    }
  }

  /// Has the threads look at the gate.
  func wake() { for worker in workers { worker.wake() } }

  /// Ends the threads, after the vCPUs.
  func end() { for worker in workers { worker.end() } }

  /// The name of one that has not come to the gate; nil where all that run stand still.
  func missing(_ gate: PauseGate) -> String? {
    zip(workers, functions).first { worker, _ in
      worker.isRunning && !gate.missing(of: worker.index..<worker.index + 1).isEmpty
    }?.1.stateName
  }
}
