import ArgumentParser
import Support
import VMM

/// A disk as people name it: its file, with `,ro` behind it for one that is only read.
struct DiskArgument: ExpressibleByArgument {
  let disk: VirtioDevice.Disk

  init?(argument: String) {
    let isReadOnly = argument.hasSuffix(",ro")
    let path = isReadOnly ? String(argument.dropLast(3)) : argument
    guard !path.isEmpty else { return nil }
    disk = VirtioDevice.Disk(path: path, isReadOnly: isReadOnly)
  }
}

extension MachineConfiguration {
  /// Names the files of the disks of a machine that is made again: a snapshot may come from anywhere, and does not choose
  /// files of this host's.
  ///
  /// - Throws: `Failure` where there are not as many, or one is only read that the guest could write to.
  mutating func name(_ disks: [DiskArgument]) throws(Failure) {
    let places = virtio.indices.filter { if case .disk = virtio[$0] { true } else { false } }
    guard places.count == disks.count else {
      let number = places.count == 1 ? "1 disk" : "\(places.count) disks"
      throw Failure("the machine has \(number); name each with --disk FILE, in their order", .usage)
    }
    for (place, argument) in zip(places, disks) {
      guard case .disk(var disk) = virtio[place] else { continue }
      guard disk.isReadOnly || !argument.disk.isReadOnly else {
        throw Failure("the guest could write to the disk '\(argument.disk.path)'; name it without ',ro'", .usage)
      }
      disk.path = argument.disk.path
      virtio[place] = .disk(disk)
    }
  }
}
