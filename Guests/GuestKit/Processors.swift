import APIC
import GuestContract
import GuestMachine
import Synchronization

/// What an application processor runs, by its index; it captures nothing.
public typealias ProcessorBody = @convention(c) (_ index: Int) -> Void

/// Starts and tells apart the processors of a machine.
public struct Processors: ~Copyable {
  private let online = Atomic<Int>(1)
  private let parked = Atomic<Int>(1)
  private let released = Atomic<Bool>(false)
  private var body: ProcessorBody = { _ in }

  /// How many there are.
  public var count: Int { Int(bootPage.pointee.vcpuCount) }

  /// The index of the processor that asks; the bootstrap processor is 0.
  public var current: Int { Int(processor_index()) }

  /// The local APIC id of processor `index`.
  public func apicID(of index: Int) -> UInt32 {
    UnsafePointer<UInt32>(bitPattern: UInt(bootPage.pointee.apicIDs))?[index] ?? UInt32(index)
  }

  /// Starts every application processor, with INIT and SIPI or, where the machine has started them already, with an
  /// NMI; each runs `body` and then halts with interrupts on. Says whether all came up.
  @discardableResult
  public mutating func start(_ body: ProcessorBody) -> Bool {
    guard count > 1 else { return true }
    self.body = body
    released.store(true, ordering: .releasing)
    let everyone = Destination.physical(0)
    if bootPage.pointee.start == .sipi {
      localAPIC.send(InterruptCommand(deliveryMode: .initialize, destination: everyone, shorthand: .allExcludingSelf))
      localAPIC.send(
        InterruptCommand(
          vector: Vector(rawValue: UInt8(LAPWING_TRAMPOLINE >> 12)), deliveryMode: .startUp, destination: everyone,
          shorthand: .allExcludingSelf))
      return wait(within: .seconds(10)) { [count] in processors.online.load(ordering: .acquiring) == count }
    }
    interrupts.handle(2) { _ in }
    // Before it has its IDT, an NMI would be its end.
    guard wait(within: .seconds(10), until: { [count] in processors.parked.load(ordering: .acquiring) == count })
    else { return false }
    // A processor may look at `released` just before and halt just after an NMI: so repeat it until all are here.
    for _ in 0..<1000 {
      localAPIC.send(InterruptCommand(deliveryMode: .nmi, destination: everyone, shorthand: .allExcludingSelf))
      if wait(within: .milliseconds(10), until: { [count] in processors.online.load(ordering: .acquiring) == count }) {
        return true
      }
    }
    return false
  }

  /// What an application processor does once it is in long mode.
  func run(_ index: UInt32) {
    _ = parked.wrappingAdd(1, ordering: .acquiringAndReleasing)
    while !released.load(ordering: .acquiring) { cpu_disable_and_halt() }
    _ = online.wrappingAdd(1, ordering: .acquiringAndReleasing)
    body(Int(index))
    while true { cpu_enable_and_halt() }
  }
}

/// The processors of this machine.
nonisolated(unsafe) public var processors = Processors()
