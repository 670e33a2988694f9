import Evidence
import KVM
public import MachineState
import VMM

/// Snapshots of a scenario's machine, and going on from them.
extension TestContext {
  /// Takes the state of the machine, which goes on. It is what the JSON document says of it.
  public func capture() throws -> MachineState { try throughDocument(try machine.capture(guest: "agent")) }

  /// Takes the machine's state, ends it, makes a new one from what the JSON document says of the state, and goes on with
  /// the same scenario there. Guest memory is the same memory.
  ///
  /// What belonged to the old machine is gone: the events of irqfds and ioeventfds are new ones, which `vm` has.
  ///
  /// - Parameters:
  ///   - action: happens while the vCPUs of the old machine stand still, before the state is taken.
  ///   - change: makes the state another one, for what cannot be brought about in time otherwise.
  ///   - inspect: looks at the new machine before its vCPUs run.
  /// - Returns: the state from which the new machine was made.
  @discardableResult
  public func hop(
    whilePaused action: () throws -> Void = {}, changing change: (inout MachineState) throws -> Void = { _ in },
    inspecting inspect: (MachineState) throws -> Void = { _ in }
  ) throws -> MachineState {
    let old = machine
    let (state, start) = try leave(old, action, change)
    let (oldStatistics, oldThreads) = (statistics, threadIDs)
    _ = running.take()?.finish()
    do throws(RestoreError) {
      machine = try Machine(
        restoring: state, memory: old.memory, on: old.vm.system, console: Console(), hooks: hooks)
    } catch {
      throw ScenarioFailure("no machine can be made of the state: \(error)")
    }
    try complete(machine.vm)
    statistics = try Self.openStatistics(of: machine)
    machine.log.goOn(after: old.log)
    recorder?.follow(to: machine, statistics, from: oldStatistics, threads: oldThreads)
    try inspect(state)
    running = try machine.start()
    control?.attach(machine)
    hops.append(.now - start)
    return state
  }

  /// Has a machine's vCPUs stand still for good and takes its state.
  private func leave(
    _ old: Machine, _ action: () throws -> Void, _ change: (inout MachineState) throws -> Void
  ) throws -> (state: MachineState, start: ContinuousClock.Instant) {
    try old.pause()
    do {
      if let reason = old.stop.reason { throw ScenarioFailure("the guest ended before it could hop: \(reason)") }
      try action()
      let start = ContinuousClock.now
      var state = try throughDocument(try old.capture(guest: "agent"))
      try change(&state)
      return (state, start)
    } catch {
      // Whoever looks at the failure finds a machine that runs.
      old.resume()
      throw error
    }
  }

  /// The state that the JSON document of a state says: the same.
  private func throughDocument(_ state: MachineState) throws -> MachineState {
    let document: StateDocument
    do throws(MalformedState) {
      document = try StateDocument(text: StateDocument(state).text)
    } catch {
      throw ScenarioFailure("the document of the machine's state cannot be read: \(error)")
    }
    guard document.state == state else {
      let difference = state.differences(to: document.state).first.map { "\($0)" } ?? "no field that has a name"
      throw ScenarioFailure("the document does not say what the state is: \(difference)")
    }
    try check("members of the document that its reader does not know", document.unknownMembers, equals: [])
    return document.state
  }
}
