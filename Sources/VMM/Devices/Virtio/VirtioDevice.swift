import KVM
import Support
import SystemPackage

/// A virtio device that a machine has on its PCI bus.
public enum VirtioDevice: Hashable, Sendable {
  /// virtio-rng: random bytes of the host's.
  case entropy
  /// virtio-blk: a disk.
  case disk(Disk)

  /// A file of the host's that the guest has as a disk.
  public struct Disk: Hashable, Sendable {
    /// The file's path: an image or a block device, with a multiple of 512 bytes.
    public var path: String
    /// Whether the guest can only read it.
    public var isReadOnly: Bool

    /// A disk.
    ///
    /// - Parameters:
    ///   - path: the file's path.
    ///   - isReadOnly: whether the guest can only read it. One that can be written belongs to one machine at a time.
    public init(path: String, isReadOnly: Bool = false) {
      self.path = path
      self.isReadOnly = isReadOnly
    }
  }

  /// How many a machine has at most: each has a line of the IOAPIC that no other device uses.
  public static let limit = 8

  /// What the device is called: `rng` or `disk`.
  public var kind: String {
    switch self {
    case .entropy: "rng"
    case .disk: "disk"
    }
  }

  /// What it offers its driver.
  var offer: VirtioOffer {
    switch self {
    case .entropy: VirtioEntropy.offer
    case .disk(let disk): VirtioBlock.offer(isReadOnly: disk.isReadOnly)
    }
  }

  /// What it does.
  ///
  /// - Parameter index: which of the machine's devices.
  func model(_ index: Int) throws(DiskError) -> any VirtioModel {
    switch self {
    case .entropy: VirtioEntropy()
    case .disk(let disk): VirtioBlock(file: try DiskFile(disk), identity: "lapwing-\(index)")
    }
  }
}

/// Where a machine's virtio devices are, for who describes the machine to its guest. The first is device 4 of bus 0, in the
/// order of the configuration.
public enum VirtioPlace {
  /// The PCI device number, 0 to 31, of the first; the others follow.
  public static let firstSlot: UInt8 = 4
  /// Where the first has its registers when the guest starts, as firmware would have put them; the others follow.
  public static let firstAddress: UInt64 = 0xfea0_0000
  /// How much memory each decodes, in bytes.
  public static let size: UInt64 = 0x8000
  /// The GSI of the first one's line, level-triggered and active high; the others follow.
  public static let firstLine: UInt32 = 16
  /// The addresses that base addresses may be moved to: where the machine has nothing else.
  public static var window: Range<UInt64> { PCIBus.memoryWindow }

  /// How many GSIs each has for its MSI-X vectors.
  static let gsis: UInt32 = 8
  /// The first GSI of the first one's vectors, above what guests take by themselves.
  static let firstGSI: UInt32 = 512

  /// The GSIs of so many devices' vectors.
  static func gsis(ofDevices count: Int) -> Range<UInt32> { firstGSI..<firstGSI + gsis * UInt32(count) }

  /// Bits 15 to 8 of a configuration address of function 0.
  static func function(_ index: Int) -> UInt8 { (firstSlot + UInt8(index)) << 3 }
}

/// What a virtio device does: everything that its transport does not.
protocol VirtioModel: Sendable {
  /// Its number (virtio 1.2, chapter 5).
  var id: UInt16 { get }
  /// The PCI class of such devices: class, subclass, interface, revision.
  var classCode: UInt32 { get }
  /// Its configuration, which does not change and of which writes are dropped.
  var configuration: [UInt8] { get }

  /// Carries a request out, on the device's thread, while its registers wait.
  ///
  /// - Parameters:
  ///   - chain: the request, whose buffers are guest memory.
  ///   - memory: the guest's.
  /// - Returns: how many bytes were written to it.
  /// - Throws: `VirtioRingError.request` for what is no request at all: the device then wants a reset.
  func carryOut(_ chain: VirtioChain, _ memory: GuestMemory) throws(VirtioRingError) -> UInt32

  /// The machine has ended: what is held of the host is let go of.
  func end()
}

extension VirtioModel {
  func end() {}
}

/// What a virtio device offers its driver, known before there is a machine.
struct VirtioOffer: Hashable, Sendable {
  /// What it can do beyond its transport (virtio 1.2, the device's own chapter).
  var features: UInt64
  /// The largest size of each of its queues: powers of two.
  var queueLimits: [UInt16]

  /// The registers of such a device after reset.
  var registers: VirtioRegisters { VirtioRegisters(features: features, queueLimits: queueLimits) }
}

/// virtio-rng: fills what it is given with random bytes of the host's (virtio 1.2, section 5.4).
struct VirtioEntropy: VirtioModel {
  /// More than a driver asks for at once; of a longer request that many bytes are filled.
  static let limit: UInt64 = 64 << 10
  static let offer = VirtioOffer(features: 0, queueLimits: [64])

  let id: UInt16 = 4
  let classCode: UInt32 = 0x00ff_0000
  let configuration: [UInt8] = []

  func carryOut(_ chain: VirtioChain, _ memory: GuestMemory) throws(VirtioRingError) -> UInt32 {
    guard chain.readable.isEmpty else { throw .request }
    let count = Int(min(chain.writableCount, Self.limit))
    var random = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 7)
    while bytes.count < count { bytes.appendLittleEndian(random.next()) }
    bytes.removeLast(bytes.count - count)
    try chain.write(bytes, at: 0, memory)
    return UInt32(count)
  }
}

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
