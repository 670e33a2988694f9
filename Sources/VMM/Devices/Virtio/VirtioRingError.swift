/// What a driver did to a virtqueue that none may do. The device then wants a reset.
enum VirtioRingError: Error, Hashable, Sendable {
  /// The available index is ahead by more than the queue has.
  case availableIndex
  /// A descriptor's number is none of the queue's.
  case descriptorNumber
  /// A chain has more descriptors than the queue: it leads back into itself.
  case loop
  /// A descriptor has no bytes, or names what is not all guest memory.
  case buffer
  /// A descriptor that the device reads comes after one that it writes.
  case order
  /// A table of descriptors of its own, which was not negotiated.
  case indirect
  /// A part of the queue itself lies outside of guest memory, or is misaligned.
  case ring
  /// A request without the parts that its device demands.
  case request
}
