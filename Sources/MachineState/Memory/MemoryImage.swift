import KVM
public import VMM

/// What is in a guest's memory: its pages that are not all zero.
public struct MemoryImage: Hashable, Sendable {
  /// Pages beside one another.
  public struct Run: Hashable, Sendable {
    /// The guest-physical address of the first.
    public var address: UInt64
    /// Their bytes, a multiple of 4096 and at most `GuestMemory.runLimit`.
    public var bytes: [UInt8]

    /// A run of pages.
    public init(address: UInt64, bytes: [UInt8]) {
      self.address = address
      self.bytes = bytes
    }
  }

  /// The size of guest memory in bytes, zero pages and all.
  public var size: UInt64
  /// The runs in the order of their addresses.
  public var runs: [Run]

  /// An image.
  public init(size: UInt64, runs: [Run] = []) {
    self.size = size
    self.runs = runs
  }

  /// Copies a guest's memory, while the guest stands still.
  public init(of memory: GuestMemory) {
    let copy = GuestMemoryCopy(roomFor: memory)
    copy.take(memory)
    self.init(copy, size: memory.size)
  }

  /// What was copied.
  init(_ copy: GuestMemoryCopy, size: UInt64) {
    self.init(size: size)
    copy.forEachRun { runs.append(Run(address: $0, bytes: $1)) }
  }

  /// How many pages it has.
  public var pages: UInt64 { runs.reduce(0) { $0 + UInt64($1.bytes.count) / GuestMemory.pageSize } }

  /// New guest memory with this in it.
  ///
  /// - Throws: `MachineError` where the host has no room for it, or a run lies outside.
  public func guestMemory() throws(MachineError) -> GuestMemory {
    let memory: GuestMemory
    do throws(KVMError) {
      memory = try GuestMemory(size: size)
    } catch {
      throw .kvm(error)
    }
    for run in runs {
      do throws(GuestMemoryError) {
        try memory.write(run.bytes, at: run.address)
      } catch {
        throw .memory(error)
      }
    }
    return memory
  }
}
