import APIC
import GuestContract
import GuestMachine
import Synchronization

/// Writes an interrupt down with its time and counts it: memory only, no exit to the host.
///
/// Counted last, so that whoever has seen the count finds the record complete.
public func record(_ interrupt: Interrupt) {
  log(.interrupt, vector: interrupt.vector, value: interrupt.instruction)
  processor_count_interrupt(UInt64(interrupt.vector.rawValue))
}

/// How often `vector` was recorded, by all processors.
public func recorded(_ vector: Vector) -> Int {
  var sum = 0
  for index in 0..<processors.count { sum &+= recorded(vector, on: index) }
  return sum
}

/// How often processor `index` recorded `vector`.
public func recorded(_ vector: Vector, on index: Int) -> Int {
  let boot = bootPage.pointee
  return Int(processor_interrupts(boot.processorArea &+ UInt64(index) &* boot.processorStride, vector.rawValue))
}

/// Writes down a point in the guest's scenario; the host is told where it waits for one.
public func mark(_ label: StaticString) {
  guard let index = log(.mark, label: label), bootPage.pointee.tellsMarks != 0 else { return }
  command(.marked, UInt32(truncatingIfNeeded: index))
}

/// Writes down whether something held that should hold, and what was seen.
@discardableResult
public func expect(_ label: StaticString, _ holds: Bool, saw value: Int = 0) -> Bool {
  log(.check, vector: holds ? 1 : 0, value: UInt64(bitPattern: Int64(value)), label: label)
  return holds
}

/// Writes down a figure.
public func note(_ label: StaticString, _ value: UInt64) {
  log(.value, value: value, label: label)
}

@discardableResult
func log(_ kind: RecordKind, vector: Vector = 0, value: UInt64 = 0, label: StaticString) -> UInt64? {
  log(
    kind, vector: vector, value: value, word: UInt32(truncatingIfNeeded: UInt(bitPattern: label.utf8Start)),
    length: UInt32(truncatingIfNeeded: label.utf8CodeUnitCount))
}

func log(_ kind: RecordKind, vector: Vector, value: UInt64, errorCode: UInt64 = 0) {
  log(kind, vector: vector, value: value, word: UInt32(truncatingIfNeeded: errorCode), length: 0)
}

/// Returns the record's index; nil where the log has no room for it.
@discardableResult
private func log(_ kind: RecordKind, vector: Vector, value: UInt64, word: UInt32, length: UInt32) -> UInt64? {
  let time = tsc_read()
  let address = UInt(bootPage.pointee.log)
  guard let claimed = UnsafePointer<Atomic<UInt64>>(bitPattern: address) else { return nil }
  let index = claimed.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
  guard index < bootPage.pointee.logCapacity,
    let record = UnsafeMutablePointer<LogRecord>(
      bitPattern: address &+ UInt(MemoryLayout<LogHeader>.stride) &+ UInt(index) &* UInt(MemoryLayout<LogRecord>.stride)
    )
  else { return nil }
  record.pointee.kind = kind
  record.pointee.vector = vector.rawValue
  record.pointee.vcpu = UInt16(truncatingIfNeeded: processor_index())
  record.pointee.tsc = time
  record.pointee.value = value
  record.pointee.label = word
  record.pointee.labelLength = length
  // The sequence number completes the record: the host must see everything before it first.
  UnsafeRawPointer(record).assumingMemoryBound(to: Atomic<UInt32>.self).pointee
    .store(UInt32(truncatingIfNeeded: index &+ 1), ordering: .releasing)
  return index
}
