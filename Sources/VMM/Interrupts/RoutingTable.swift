import KVM
import Synchronization

/// The GSI routing table of a machine, which KVM takes only whole (KVM API, KVM_SET_GSI_ROUTING).
final class RoutingTable: Sendable {
  private let vm: VirtualMachine
  private let table: Mutex<[UInt32: [GSIRoute]]>

  /// A table that begins with what KVM's has.
  init(vm: VirtualMachine, initial: [GSIRoute]) {
    self.vm = vm
    table = Mutex(Dictionary(grouping: initial, by: \.gsi))
  }

  /// The routes of one GSI.
  func routes(of gsi: UInt32) -> [GSIRoute] { table.withLock { $0[gsi] ?? [] } }

  /// Replaces the routes of some GSIs.
  ///
  /// - Throws: `KVMError` for a table that KVM refuses; the old one then stays.
  func set(_ changes: [UInt32: [GSIRoute]]) throws(KVMError) {
    try table.withLock { table throws(KVMError) in
      let next = table.merging(changes) { $1 }
      try vm.setGSIRouting(next.keys.sorted().flatMap { next[$0] ?? [] })
      table = next
    }
  }

  /// Replaces all of it.
  ///
  /// - Throws: `KVMError` for a table that KVM refuses; the old one then stays.
  func replace(with routes: [GSIRoute]) throws(KVMError) {
    try table.withLock { table throws(KVMError) in
      try vm.setGSIRouting(routes)
      table = Dictionary(grouping: routes, by: \.gsi)
    }
  }
}
