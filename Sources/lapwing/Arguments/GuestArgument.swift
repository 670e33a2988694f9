import ArgumentParser
import BuiltInGuests
import SystemPackage
import VMM

/// A guest as people name it: one that is built in, or the path of an image.
struct GuestArgument: ExpressibleByArgument {
  let name: String

  init(argument: String) { name = argument }

  static var defaultCompletionKind: CompletionKind {
    .list(BuiltInGuest.all.map(\.name))
  }

  /// The image: built in where there is one of that name, else the file.
  func image() throws(Failure) -> GuestImage {
    if let guest = BuiltInGuest.named(name) { return guest.image }
    do throws(ImageError) {
      return try GuestImage(file: FilePath(name), acceptsPipes: true)
    } catch .unreadable(.noSuchFileOrDirectory) {
      throw Failure("there is no guest '\(name)': neither built in (see 'lapwing list') nor a file", .badInput)
    } catch .unreadable(let errno) {
      throw Failure("cannot read the guest '\(name)': \(errno)", .badInput)
    } catch {
      throw Failure("the guest '\(name)': \(error)", .badInput)
    }
  }
}
