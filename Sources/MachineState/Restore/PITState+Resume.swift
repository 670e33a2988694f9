import KVM

/// How a PIT goes on from where it was.
///
/// KVM_SET_PIT2 loads every channel with its count and has it begin now (`pit_load_count`): the load time that it is given
/// is not heeded, and no other call sets it. So for channels 1 and 2, whose load time KVM_GET_PIT2 tells, the rest of a count
/// is had in one of two ways. Of channel 0 no call tells when its count was loaded: it begins anew.
extension PITState {
  /// What KVM counts with, in Hz (`KVM_PIT_FREQ`).
  static let frequency: UInt64 = 1_193_181

  /// The chip to give KVM, and how long after that it is where it was.
  struct Resumption {
    var chip: PITState
    /// In nanoseconds, at most 56 ms: no vCPU must run before.
    var wait: UInt64
  }

  /// The chip as it goes on.
  ///
  /// - Parameter now: the moment of the capture, in nanoseconds of the clock that load times count in.
  func resumed(at now: UInt64) -> Resumption {
    var chip = self
    let first = chip.channel1.resume(at: now)
    let second = chip.channel2.resume(at: now)
    // All channels begin at one moment. Only the output of channel 2 leads anywhere.
    return Resumption(chip: chip, wait: second > 0 ? second : first)
  }
}

extension PITState.Channel {
  /// Makes it what KVM is to begin with, and says how long after the beginning it is where it was, in nanoseconds.
  ///
  /// - In modes 0 and 4 a count runs once and is never used again: what is left of it is a count too. Where it is over,
  ///   the least count there is brings the output to its end at once; the counter then goes on from 0, as nothing tells
  ///   how far it had wrapped around.
  /// - In the others it is used again, at the next period or the next rise of the gate. So the whole count begins, and the
  ///   wait is as long as it has run.
  fileprivate mutating func resume(at now: UInt64) -> UInt64 {
    let whole = count == 0 ? 0x10000 : UInt64(count)
    let elapsed = ticks(until: now)
    switch mode {
    case 0, 4:
      count = UInt32(truncatingIfNeeded: elapsed < whole ? whole - elapsed : 1)
      return 0
    case 1, 5: return Self.nanoseconds(min(elapsed, whole + 1))
    case 2, 3: return Self.nanoseconds(elapsed % whole)
    // It was never given a mode.
    default: return 0
    }
  }

  /// How often it has counted since it was loaded. A load time that lies ahead is none.
  func ticks(until now: UInt64) -> UInt64 {
    let loaded = UInt64(clamping: countLoadTime)
    guard now > loaded else { return 0 }
    let product = (now - loaded).multipliedFullWidth(by: PITState.frequency)
    // The high word is far below the divisor: both factors together are below 2^64 times 2^21.
    return (UInt64(1_000_000_000)).dividingFullWidth((product.high, product.low)).quotient
  }

  /// How long so many ticks take, rounded up. There are at most 65537.
  private static func nanoseconds(_ ticks: UInt64) -> UInt64 {
    ticks == 0 ? 0 : ticks * 1_000_000_000 / PITState.frequency + 1
  }
}
