import KVM
import ReferenceModel

/// In which order a model does the pieces of calls that are made at the same time.
enum PieceSchedule: Sendable {
  /// One of each actor after the other, which brings those together that are alike.
  case inTurns
  /// At random.
  case random(HistoryRandom)

  /// Which of several actors is next.
  mutating func next(after last: Int, of count: Int) -> Int {
    guard case .random(var random) = self else { return (last + 1) % count }
    defer { self = .random(random) }
    return random.below(count)
  }
}

/// A piece of an actor's call.
struct ActorPiece {
  var actor: Int
  /// The call before it, and the machine.
  var call: MachineCall
  var before: ReferenceMachine
  /// The call behind it.
  var after: MachineCall
}

/// What a broken kernel does where a piece of one actor's call comes right behind a piece of another's.
typealias PieceFault = @Sendable (_ previous: ActorPiece, ActorPiece, inout ReferenceMachine, inout MachineCall) -> Void

extension ModelSubject {
  /// Does what actors do at the same time piece by piece, in one of the orders that a good kernel has, or with a fault.
  func interleave(_ actors: [[Step]], fault: PieceFault?) throws(KVMError) -> [[ActorStep]] {
    machine.prepareForCalls()
    var done: [[ActorStep]] = actors.map { _ in [] }
    var underway: [(call: MachineCall, answers: ActorCall.AnswerKind, begin: UInt64)?] = actors.map { _ in nil }
    var previous: ActorPiece?
    var time: UInt64 = 0
    var actor = actors.count - 1
    while actors.indices.contains(where: { done[$0].count < actors[$0].count }) {
      actor = schedule.next(after: actor, of: actors.count)
      guard done[actor].count < actors[actor].count else { continue }
      time += 1
      if underway[actor] == nil {
        guard let own = try CallRecorder.call(of: actors[actor][done[actor].count], machine, at: moment) else {
          done[actor].append(ActorStep(answer: .done, begin: time, end: time))
          continue
        }
        // Each is as early as it can be, and waits: so calls overlap.
        underway[actor] = (own.call, own.answers, done[actor].last.map { $0.end + 1 } ?? 0)
      }
      guard var own = underway[actor] else { continue }
      var piece = ActorPiece(actor: actor, call: own.call, before: machine, after: own.call)
      guard machine.advance(&own.call) else { continue }
      piece.after = own.call
      if let previous, previous.actor != actor { fault?(previous, piece, &machine, &own.call) }
      previous = piece
      underway[actor] = own
      guard own.call.isEnded else { continue }
      underway[actor] = nil
      done[actor].append(ActorStep(answer: own.answers.answer(own.call), begin: own.begin, end: time))
    }
    return done
  }
}

extension RouteTable {
  /// The table of KVM_SET_GSI_ROUTING.
  init(_ routes: [GSIRoute]) {
    self.init()
    for route in routes {
      switch route {
      case .irqChip(let gsi, .ioapic, let pin): add(.ioapic(pin: Int(pin)), to: gsi)
      case .irqChip(let gsi, .picMaster, let pin): add(.pic(line: Int(pin)), to: gsi)
      case .irqChip(let gsi, .picSlave, let pin): add(.pic(line: Int(pin) + 8), to: gsi)
      case .msi(let gsi, let message): add(.message(message), to: gsi)
      case .hypervSINT: break
      }
    }
  }
}
