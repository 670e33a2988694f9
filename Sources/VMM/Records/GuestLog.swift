public import APIC
import GuestContract
import Synchronization

/// Reads what a guest writes down, as far as it has got.
///
/// The guest is not trusted: the host knows where the log is and how much it holds, reads it with every access checked,
/// and copies no more of a label than `LAPWING_LABEL_LIMIT` bytes.
public final class GuestLog: Sendable {
  private let memory: GuestMemory
  private let bootPage: UInt64
  private let address: UInt64
  private let capacity: UInt64
  private let taken = Mutex<UInt64>(0)

  init(memory: GuestMemory, layout: BootLayout) {
    self.memory = memory
    bootPage = layout.bootPage
    address = layout.log
    capacity = layout.logCapacity
  }

  /// The records that were completed since the last call, in the order in which the guest claimed them. A record that
  /// is claimed and not yet complete ends the list; the next call goes on there.
  public func next() -> [GuestRecord] {
    taken.withLock { taken in
      var records: [GuestRecord] = []
      let claimed = min(claimedRecords, capacity)
      while taken < claimed, let record = record(at: taken) {
        records.append(record)
        taken += 1
      }
      return records
    }
  }

  /// Leaves out of `next` what another reader was given, of the same guest on the machine that it was on before.
  public func goOn(after other: GuestLog) {
    let read = other.taken.withLock { $0 }
    taken.withLock { $0 = read }
  }

  /// The interrupts that the guest took in a stretch of time, of those that it wrote down, in the order of their times. It
  /// takes nothing away from what `next` gives.
  ///
  /// - Parameters:
  ///   - start: the guest's TSC at the beginning.
  ///   - end: the guest's TSC at the end, which is not part of it.
  public func interrupts(since start: UInt64, before end: UInt64) -> [(vcpu: Int, vector: Vector, tsc: UInt64)] {
    var interrupts: [(vcpu: Int, vector: Vector, tsc: UInt64)] = []
    for index in 0..<min(claimedRecords, capacity) {
      guard let record = record(at: index), case .interrupt(let vector, _) = record.event, record.tsc >= start,
        record.tsc < end
      else { continue }
      interrupts.append((record.vcpu, vector, record.tsc))
    }
    // What vCPUs claim at the same time may lie in another order than they took it.
    return interrupts.sorted { $0.tsc < $1.tsc }
  }

  /// The text of the mark with that index, if it is one.
  func mark(at index: UInt64) -> String? {
    guard index < capacity, case .mark(let label) = record(at: index)?.event else { return nil }
    return label
  }

  /// How many records found no room.
  public var droppedRecords: UInt64 {
    let claimed = claimedRecords
    return claimed > capacity ? claimed - capacity : 0
  }

  /// None of a guest that was given no boot page, or has put something else there: it has something of its own here too.
  private var claimedRecords: UInt64 {
    guard memory.hasBootPage(at: bootPage) else { return 0 }
    return (try? memory.load(UInt64.self, at: address)) ?? 0
  }

  private func record(at index: UInt64) -> GuestRecord? {
    let place = address + UInt64(MemoryLayout<LogHeader>.stride) + index * UInt64(MemoryLayout<LogRecord>.stride)
    // The sequence number is written last, by a store that releases, so it is read first, by a load that acquires.
    guard let sequence = try? memory.load(UInt32.self, at: place), sequence == UInt32(truncatingIfNeeded: index + 1),
      let record = try? memory.loadStructure(LogRecord.self, at: place)
    else { return nil }
    return GuestRecord(event: event(record), vcpu: Int(record.vcpu), tsc: record.tsc)
  }

  private func event(_ record: LogRecord) -> GuestRecord.Event {
    let vector = Vector(rawValue: record.vector)
    switch record.kind {
    case .interrupt: return .interrupt(vector, instruction: record.value)
    case .exception: return .exception(vector, errorCode: record.label, instruction: record.value)
    case .mark: return .mark(label(record))
    case .check: return .check(label(record), holds: record.vector != 0, saw: Int64(bitPattern: record.value))
    case .value: return .value(label(record), record.value)
    default: return .unknown(kind: record.kind.rawValue)
    }
  }

  private func label(_ record: LogRecord) -> String {
    let length = min(Int(record.labelLength), Int(LAPWING_LABEL_LIMIT))
    guard let bytes = try? memory.read(length, at: UInt64(record.label)) else { return "(label outside of memory)" }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension GuestMemory {
  /// Whether the page that tells a guest of Lapwing's about its machine is there.
  func hasBootPage(at address: UInt64) -> Bool {
    (try? load(UInt32.self, at: address)) == UInt32(LAPWING_BOOT_MAGIC)
  }
}

/// Something that a guest wrote down while it ran.
public struct GuestRecord: Hashable, Sendable {
  /// What it was.
  public enum Event: Hashable, Sendable {
    /// An interrupt was taken, before the instruction at this address.
    case interrupt(Vector, instruction: UInt64)
    /// An exception that the guest has no handler for.
    case exception(Vector, errorCode: UInt32, instruction: UInt64)
    /// A point in its scenario.
    case mark(String)
    /// Something that should hold and did, or did not, and what was seen.
    case check(String, holds: Bool, saw: Int64)
    /// A figure.
    case value(String, UInt64)
    /// A record of a kind that this host does not know.
    case unknown(kind: UInt8)
  }

  /// What happened.
  public var event: Event
  /// The index of the vCPU that wrote it, as it says itself.
  public var vcpu: Int
  /// The guest's TSC at that moment.
  public var tsc: UInt64
}
