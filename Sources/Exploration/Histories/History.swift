/// One step of a history: an operation and its arguments.
public struct Step: Sendable {
  /// The operation's place in `OperationKind.all`.
  public var operation: Int
  /// Its arguments.
  public var arguments: StepArguments
  /// What each of several actors does at the same time; none for any other step.
  public var actors: [[Step]] = []

  /// A step.
  public init(operation: Int, arguments: StepArguments) {
    self.operation = operation
    self.arguments = arguments
  }

  /// The operation.
  public var kind: OperationKind { OperationKind.all[operation] }
}

/// The machine that a history begins with.
public struct HistoryMachine: Hashable, Sendable {
  /// How many vCPUs, 1 to 4.
  public var vcpus: Int
  /// Whether the local APICs are in x2APIC mode, and enabled by software, before the first step.
  public var startsInX2APIC: Bool

  /// A machine.
  public init(vcpus: Int, startsInX2APIC: Bool) {
    self.vcpus = min(max(vcpus, 1), 4)
    self.startsInX2APIC = startsInX2APIC
  }
}

/// What is done to a machine, in order.
public struct History: Sendable {
  /// What the machine is.
  public var machine: HistoryMachine
  /// What is done.
  public var steps: [Step]

  /// A history.
  public init(machine: HistoryMachine, steps: [Step] = []) {
    self.machine = machine
    self.steps = steps
  }
}

/// Makes histories up: the same of the same seed and the same operations.
public struct HistoryGenerator: Sendable {
  private var random: HistoryRandom
  private let choices: [Int]
  private let concurrentChoices: [Int]
  private let vcpus: ClosedRange<Int>

  /// A generator.
  ///
  /// - Parameters:
  ///   - seed: What decides everything.
  ///   - families: The families to choose among; all of them where there is none.
  ///   - omitted: Operations that are not chosen, by name.
  ///   - hasGuest: Whether operations that need a guest may be chosen.
  ///   - vcpus: How many vCPUs a machine may have, 1 to 4.
  public init(
    seed: UInt64, families: Set<OperationFamily> = [], omitted: Set<String> = [], hasGuest: Bool,
    vcpus: ClosedRange<Int> = 1...4
  ) {
    random = HistoryRandom(seed: seed)
    self.vcpus = vcpus
    // A number as often as its operation's weight: to choose is to take one.
    func choose(_ families: Set<OperationFamily>, _ weight: (OperationKind) -> Int) -> [Int] {
      OperationKind.all.enumerated().flatMap { number, kind -> [Int] in
        guard hasGuest || !kind.needsGuest, families.isEmpty || families.contains(kind.family),
          !omitted.contains(kind.name)
        else { return [] }
        return Array(repeating: number, count: weight(kind))
      }
    }
    // Actors do what the rest of the history does; where that is nothing, all that they may do. What is rare meets as often.
    let own = choose(families.subtracting([.concurrent])) { $0.mayBeConcurrent ? 1 : 0 }
    concurrentChoices = own.isEmpty ? choose([]) { $0.mayBeConcurrent ? 1 : 0 } : own
    choices = choose(families, \.weight)
  }

  /// Whether there is an operation to choose.
  public var isEmpty: Bool { choices.isEmpty }

  /// A machine to begin with.
  public mutating func machine() -> HistoryMachine {
    HistoryMachine(
      vcpus: vcpus.lowerBound + random.below(vcpus.count), startsInX2APIC: random.below(4) != 0)
  }

  /// The next step.
  public mutating func step() -> Step {
    let step = step(of: choices)
    return step.isConcurrent ? concurrentStep() : step
  }

  /// Two to four actors with one to three steps each, mostly few. Half of them do what the first does, to be in its way; each that
  /// needs a vCPU has one of its own.
  private mutating func concurrentStep() -> Step {
    guard !concurrentChoices.isEmpty else { return Step(concurrently: []) }
    let runsGuests = random.below(2) == 0
    let isAlike = random.below(2) == 0
    var left = Step.concurrentStepLimit
    var actors: [[Step]] = []
    for actor in 0..<2 + random.below(2) * random.below(Step.actorLimit - 1) {
      let count = min(left, 1 + random.below(2) * random.below(3))
      left -= count
      let own = (0..<count).map { _ in
        var step = isAlike && actor > 0 ? actors[0][random.below(actors[0].count)] : actorStep(runsGuests)
        if step.ownVCPU(of: 4) != nil { step.arguments[0] = UInt64(actor) }
        return step
      }
      actors.append(own)
    }
    return Step(concurrently: actors)
  }

  /// A step of an actor: where vCPUs run, one that brings them nothing but interrupts, and else one that needs none to run. Where a
  /// few tries give none of these it is whatever there is.
  private mutating func actorStep(_ runsGuests: Bool) -> Step {
    var own = step(of: concurrentChoices)
    var tries = 0
    while tries < 8, runsGuests ? own.mayStrike : own.kind.needsGuest {
      own = step(of: concurrentChoices)
      tries += 1
    }
    return own
  }

  private mutating func step(of choices: [Int]) -> Step {
    let number = choices[random.below(choices.count)]
    var arguments = StepArguments(repeating: 0)
    let kind = OperationKind.all[number]
    for index in kind.arguments.indices {
      let values = kind.arguments[index].values
      // The simple values come first, and half of all choices are among the first four.
      let bound = random.below(2) == 0 ? min(4, values.count) : values.count
      arguments[index] = values[random.below(bound)]
    }
    return Step(operation: number, arguments: arguments)
  }
}

/// Random numbers that a seed decides (SplitMix64 by Steele, Lea and Flood), so that a history can be made again.
public struct HistoryRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The numbers of a seed.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// A number below a bound that is not 0.
  mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % max(bound, 1) }
}
