/// Virtio devices by MSI-X: random bytes and sectors, masked and moved vectors (--rng, --disk FILE, --vcpus 2).
import APIC
import GuestKit
import Synchronization

let entropyVector: Vector = 0x61
let diskVector: Vector = 0x62
let idle = Atomic<Int>(0)

@c(guest_main) func main() {
  localAPIC.enable()
  interrupts.acknowledge(entropyVector)
  interrupts.acknowledge(diskVector)
  interrupts.enable()
  guard var entropy = VirtioDriver(id: 4, rings: 0x40_0000) else {
    expect("the machine has a virtio-rng (--rng)", false)
    finish(status: 1)
  }
  expect("FEATURES_OK stays set", entropy.start(vector: 1))
  entropy.route(1, to: MSIMessage(vector: entropyVector, destination: .physical(processors.apicID(of: 0))))
  entropy.enableMessages()
  ready()
  fill(&entropy)
  mask(&entropy)
  if processors.count > 1 { move(&entropy) }
  if var disk = VirtioDriver(id: 2, rings: 0x41_0000) { useDisk(&disk) }
  finish()
}

/// Each completion is one interrupt.
private func fill(_ entropy: inout VirtioDriver) {
  mark("random bytes")
  let before = recorded(entropyVector)
  var bits: UInt32 = 0
  for round in 1...16 {
    let buffer = entropy.buffer
    for word in 0..<UInt64(16) { physicalMemory[word: buffer + 4 * word] = 0 }
    entropy.submit(.write(buffer, 64))
    guard wait(within: .seconds(5), until: { recorded(entropyVector) == before + round }) else { break }
    guard entropy.take() == 64 else { break }
    for word in 0..<UInt64(16) { bits |= physicalMemory[word: buffer + 4 * word] }
  }
  expect("16 requests are 16 interrupts", recorded(entropyVector) == before + 16, saw: recorded(entropyVector))
  expect("and fill 64 bytes each", entropy.taken == 16, saw: Int(entropy.taken))
  expect("with bits of all kinds", bits == .max, saw: Int(bits))
}

/// What completes while its vector is masked waits in the pending bit.
private func mask(_ entropy: inout VirtioDriver) {
  mark("masked vectors")
  for round in 0..<2 {
    let isFunction = round == 1
    let before = recorded(entropyVector)
    if isFunction { entropy.setFunctionMask(true) } else { entropy.setMask(1, true) }
    expect("nothing is pending", !entropy.isPending(1))
    entropy.submit(.write(entropy.buffer, 8))
    expect("a request completes while its vector is masked", wait(within: .seconds(5)) { entropy.take() == 8 })
    expect("its bit is pending", wait(within: .seconds(5)) { entropy.isPending(1) })
    expect("and it did not interrupt", recorded(entropyVector) == before, saw: recorded(entropyVector) - before)
    if isFunction { entropy.setFunctionMask(false) } else { entropy.setMask(1, false) }
    expect("it does when it is unmasked", wait(within: .seconds(5)) { recorded(entropyVector) == before + 1 })
    expect("and nothing is pending any more", !entropy.isPending(1))
  }
}

/// A vector that moves between processors while requests go on loses none.
private func move(_ entropy: inout VirtioDriver) {
  mark("a vector that moves")
  expect("the other processors start", processors.start(application))
  wait(within: .seconds(5)) { idle.load(ordering: .acquiring) == processors.count - 1 }
  let before = recorded(entropyVector)
  let rounds = 40
  for round in 0..<rounds {
    let target = processors.apicID(of: round % 2)
    entropy.submit(.write(entropy.buffer, 8))
    entropy.setMask(1, true)
    entropy.route(1, to: MSIMessage(vector: entropyVector, destination: .physical(target)))
    entropy.setMask(1, false)
    guard wait(within: .seconds(5), until: { recorded(entropyVector) == before + round + 1 }) else { break }
    guard wait(within: .seconds(5), until: { entropy.take() == 8 }) else { break }
  }
  expect("none is lost", recorded(entropyVector) == before + rounds, saw: recorded(entropyVector) - before)
  note("on the other processor", UInt64(recorded(entropyVector, on: 1)))
}

func application(_ index: Int) {
  localAPIC.enable()
  interrupts.enable()
  idle.wrappingAdd(1, ordering: .releasing)
}

/// Sectors are read and written, and what there is not is an error.
private func useDisk(_ disk: inout VirtioDriver) {
  mark("a disk")
  let isWritable = disk.features & (1 << 5) == 0
  expect("FEATURES_OK stays set", disk.start(vector: 1))
  disk.route(1, to: MSIMessage(vector: diskVector, destination: .physical(processors.apicID(of: 0))))
  disk.enableMessages()
  let sectors = UInt64(physicalMemory[word: disk.device]) | UInt64(physicalMemory[word: disk.device + 4]) << 32
  note("sectors", sectors)
  let data = disk.buffer + 512
  expect("the first sector is read", transfer(&disk, .read, sector: 0) == 0)
  note("its first word", UInt64(physicalMemory[word: data]))
  expect("the sector behind the last is an error", transfer(&disk, .read, sector: sectors) == 1)
  for word in 0..<UInt64(128) { physicalMemory[word: data + 4 * word] = 0x1234_0000 | UInt32(word) }
  expect("a write is as the disk allows", transfer(&disk, .write, sector: sectors - 1) == (isWritable ? 0 : 1))
  guard isWritable else { return }
  for word in 0..<UInt64(128) { physicalMemory[word: data + 4 * word] = 0 }
  expect("what was written is read back", transfer(&disk, .read, sector: sectors - 1) == 0)
  expect("as it was", physicalMemory[word: data + 4 * 127] == 0x1234_007f)
}

private enum Transfer: UInt32 {
  case read = 0
  case write = 1
}

/// One sector; the request's status, or 0xff where it does not interrupt in time.
private func transfer(_ disk: inout VirtioDriver, _ kind: Transfer, sector: UInt64) -> UInt8 {
  let (header, status, data) = (disk.buffer, disk.buffer + 16, disk.buffer + 512)
  physicalMemory[word: header] = kind.rawValue
  physicalMemory[word: header + 4] = 0
  physicalMemory[word: header + 8] = UInt32(truncatingIfNeeded: sector)
  physicalMemory[word: header + 12] = UInt32(truncatingIfNeeded: sector >> 32)
  physicalMemory[byte: status] = 0xff
  let before = recorded(diskVector)
  disk.submit(.read(header, 16), kind == .read ? .write(data, 512) : .read(data, 512), .write(status, 1))
  guard wait(within: .seconds(10), until: { recorded(diskVector) == before + 1 }) else { return 0xff }
  guard disk.take() != nil else { return 0xff }
  return physicalMemory[byte: status]
}
