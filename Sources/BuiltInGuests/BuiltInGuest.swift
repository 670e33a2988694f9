import GuestImages
public import VMM

/// A guest that is part of the program: the files of the folder Guests.
@safe public struct BuiltInGuest: @unchecked Sendable {
  /// What `lapwing run` calls it.
  public let name: String
  /// What it does, in a line.
  public let summary: String

  // Sound, and safe to send anywhere: the table and all that it points to are constants of this program.
  private let entry: UnsafePointer<lapwing_guest_image>

  private init(_ entry: UnsafePointer<lapwing_guest_image>) {
    name = unsafe String(cString: entry.pointee.name)
    summary = unsafe String(cString: entry.pointee.summary)
    unsafe self.entry = entry
  }

  /// Its image, to boot a machine with.
  public var image: GuestImage {
    GuestImage(
      name: name,
      bytes: unsafe [UInt8](UnsafeBufferPointer(start: entry.pointee.bytes, count: entry.pointee.size)))
  }

  /// Its ELF file with symbols and line tables, for a debugger: what is loaded of it is the image. The names of source files
  /// count from the folder of the package.
  public var symbols: [UInt8] {
    unsafe [UInt8](UnsafeBufferPointer(start: entry.pointee.symbols, count: entry.pointee.symbols_size))
  }

  /// All of them, by name.
  public static var all: [BuiltInGuest] {
    (0..<lapwing_guest_image_count).map { unsafe BuiltInGuest(lapwing_guest_image_at($0)) }
  }

  /// The one with that name, if there is one.
  public static func named(_ name: String) -> BuiltInGuest? {
    all.first { $0.name == name }
  }
}
