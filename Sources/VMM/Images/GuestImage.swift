/// A program for the bare machine.
public struct GuestImage: Sendable {
  /// What people call it.
  public let name: String
  /// Its bytes.
  public let contents: ImageBytes

  /// An image with that name and the bytes of its file.
  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.contents = ImageBytes(bytes)
  }

  /// Decides what goes where.
  ///
  /// With a load address the image is flat real-mode code. Otherwise a Multiboot header decides, then the ELF header.
  ///
  /// - Parameter loadAddress: where flat code goes, below 1 MiB; nil for an image that says it itself.
  /// - Throws: `ImageError` for an image that is empty, truncated, unknown or for another machine.
  public func plan(loadAddress: UInt64? = nil) throws(ImageError) -> LoadPlan {
    guard contents.count > 0 else { throw .empty }
    if let loadAddress { return try flatPlan(at: loadAddress) }
    if let header = MultibootHeader(contents) { return try header.plan(contents) }
    guard ELFFile.matches(contents) else { throw .unknownFormat }
    let file = try ELFFile(contents)
    guard file.fileClass == .bits64 else {
      throw .unsupportedELF(reason: "a 32-bit image needs a Multiboot header in its first 8192 bytes")
    }
    return file.plan(entry: .longMode(file.entry))
  }

  private func flatPlan(at address: UInt64) throws(ImageError) -> LoadPlan {
    let size = UInt64(contents.count)
    guard address < 1 << 20, size <= 1 << 20 - address else { throw .unreachable(address: address, size: size) }
    return LoadPlan(
      segments: [LoadPlan.Segment(address: address, size: size, file: 0..<contents.count)], entry: .realMode(address))
  }
}
