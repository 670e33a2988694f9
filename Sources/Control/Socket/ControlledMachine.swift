import JSON
import KVM
public import MachineState
import Synchronization
import SystemPackage
import VMM

/// What a machine's state is for a person: the inspector's words. Layers above know them.
public typealias StateText = @Sendable (MachineState) -> String

/// A machine, and what the control socket does with it: on one thread, a request at a time.
final class ControlledMachine: Sendable {
  private let machine: Machine
  private let guest: String
  private let statistics: [StatisticsFile]
  private let isPaused = Mutex(false)
  private let requests = Mutex(RequestedInjections())
  private let words: StateText
  private let snapshotRemedy: String

  /// How long the vCPUs have to come out of the guest.
  private static let patience = Duration.seconds(5)

  /// - Parameters:
  ///   - machine: a machine that has not been started: KVM opens no statistics of a vCPU that is in the guest.
  ///   - guest: what a snapshot says of it.
  ///   - words: what its state is for a person.
  ///   - snapshotRemedy: what to do where a snapshot may not be written.
  init(_ machine: Machine, guest: String, words: @escaping StateText, snapshotRemedy: String) throws(KVMError) {
    self.snapshotRemedy = snapshotRemedy
    self.machine = machine
    self.guest = guest
    self.words = words
    var files: [StatisticsFile] = []
    for vcpu in machine.vcpus { files.append(try vcpu.openStatistics()) }
    statistics = files
  }

  /// How many vCPUs it has.
  var vcpuCount: Int { machine.vcpus.count }

  /// The interrupts that were asked for so far.
  var requestedInjections: RequestedInjections { requests.withLock { $0 } }

  /// Carries a request out, apart from `stop`, which ends the machine.
  ///
  /// - Parameter isCancelled: whether what takes long is to be given up.
  func carryOut(_ action: ControlRequest.Action, isCancelled: () -> Bool) -> ControlAnswer.Result {
    guard machine.stop.reason == nil else { return .refused("the guest has ended") }
    do throws(MachineError) {
      switch action {
      case .inject(let stimulus): return inject(stimulus)
      case .pause: return try pause()
      case .resume: return resume()
      case .inspect(.document):
        return .done([JSONValue.Member("state", StateDocument(try machine.capture(guest: guest)).json)])
      case .inspect(.text):
        return .done([JSONValue.Member("text", .string(words(try machine.capture(guest: guest))))])
      case .snapshot(let file): return try snapshot(FilePath(file), isCancelled)
      case .statistics: return try showStatistics()
      case .stop:
        machine.end(.stopped)
        return .done
      }
    } catch {
      return .refused(error.description)
    }
  }

  private func inject(_ stimulus: Stimulus) -> ControlAnswer.Result {
    // An NMI is on its way when the call returns; its answer is not waited for.
    let box = Answer()
    let time = ContinuousClock.now
    machine.inject(stimulus) { box.fill($0) }
    let answer = box.value ?? .sent
    requests.withLock { $0.add(RequestedInjections.Request(stimulus: stimulus, time: time, answer: answer)) }
    return answer.result
  }

  private func pause() throws(MachineError) -> ControlAnswer.Result {
    guard !isPaused.withLock({ $0 }) else { return .refused("the machine is paused already") }
    try machine.pause(within: Self.patience)
    isPaused.withLock { $0 = true }
    return .done
  }

  private func resume() -> ControlAnswer.Result {
    guard isPaused.withLock({ $0 }) else { return .refused("the machine is not paused") }
    isPaused.withLock { $0 = false }
    let length = machine.resume()
    return .done(length.map { [JSONValue.Member("paused", .number(Int64($0 / .nanoseconds(1))))] } ?? [])
  }

  private func snapshot(_ path: FilePath, _ isCancelled: () -> Bool) throws(MachineError) -> ControlAnswer.Result {
    let file = SnapshotFile(path)
    do throws(SnapshotFileError) {
      try file.checkWritable()
    } catch .unwritable(_, "\(Errno.permissionDenied)") {
      return .refused("cannot write '\(path)': \(Errno.permissionDenied)\(snapshotRemedy)")
    } catch {
      return .refused(error.description)
    }
    let snapshot = try machine.snapshot(guest: guest)
    do throws(SnapshotFileError) {
      guard try file.write(snapshot, isCancelled: isCancelled) else { return .refused("the guest has ended") }
    } catch {
      return .refused(error.description)
    }
    let pause = snapshot.pause.map { [JSONValue.Member("paused", .number(Int64($0 / .nanoseconds(1))))] } ?? []
    return .done([JSONValue.Member("pages", .number(Int64(clamping: snapshot.memory.pages)))] + pause)
  }

  private func showStatistics() throws(MachineError) -> ControlAnswer.Result {
    do throws(KVMError) {
      var vcpus: [JSONValue] = []
      for file in statistics { vcpus.append(Self.object(try file.read())) }
      return .done([
        JSONValue.Member("vcpus", .array(vcpus)), JSONValue.Member("vm", Self.object(try machine.vm.statistics())),
      ])
    } catch {
      throw .kvm(error)
    }
  }

  private static func object(_ statistics: Statistics) -> JSONValue {
    .object(
      statistics.names.compactMap { name in
        statistics[name].map { JSONValue.Member(name, .number(Int64(clamping: $0))) }
      })
  }

  private final class Answer: Sendable {
    private let answer = Mutex<InjectionAnswer?>(nil)
    var value: InjectionAnswer? { answer.withLock { $0 } }
    func fill(_ value: InjectionAnswer) { answer.withLock { $0 = value } }
  }
}
