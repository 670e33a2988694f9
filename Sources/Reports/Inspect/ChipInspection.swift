import APIC
import KVM
import MachineState
import VMM

/// The PICs: what they ask for.
public struct PICInspection: Codable, Hashable, Sendable {
  /// The line that the pair asks the processor to take, 0 to 15; absent for none.
  public var requestedLine: Int?
  /// Its vector.
  public var requestedVector: UInt8?
  /// The vCPUs that would take it: those with an unmasked ExtINT at LINT0, or without a local APIC.
  public var listeners: [Int]

  init(_ pair: MachineState.PICPair, _ state: MachineState) {
    let request = PICRequest(pair)
    requestedLine = request?.line
    requestedVector = request?.vector
    listeners = PICListeners(state).vcpus
  }
}

/// A channel of the interval timer.
public struct PITChannelInspection: Codable, Hashable, Sendable {
  /// 0 to 2.
  public var channel: Int
  /// How it counts, such as `rate generator`.
  public var mode: String
  /// What it counts down from, 1 to 65536; 0 where no count was set.
  public var count: UInt32
  /// The gate input.
  public var gate: Bool
  /// How long it takes to count down, in nanoseconds; absent where no count was set.
  public var period: Int64?
  /// The time until channel 0 fires next in nanoseconds; absent for other channels, where it does not fire any more, and
  /// where the state does not say when it was taken.
  public var remaining: Int64?

  init(_ number: Int, _ channel: PITState.Channel, now: UInt64, isReplaced: Bool) {
    self.channel = number
    let counting = PIT.Mode(rawValue: channel.mode)
    mode = counting?.words ?? "no mode"
    count = channel.count
    gate = channel.gate != 0
    guard channel.count > 0 else { return }
    let span = Int64(UInt64(channel.count) * 1_000_000_000 / UInt64(PIT.frequency))
    period = span
    // KVM runs a timer for channel 0 alone (`create_pit_timer` in arch/x86/kvm/i8254.c).
    guard number == 0, !isReplaced, now > 0, let now = Int64(exactly: now) else { return }
    let elapsed = now.subtractingReportingOverflow(channel.countLoadTime)
    guard !elapsed.overflow, elapsed.partialValue >= 0 else { return }
    switch counting {
    case .rateGenerator, .squareWave: remaining = span > 0 ? span - elapsed.partialValue % span : nil
    case .interruptOnTerminalCount, .hardwareOneShot, .softwareStrobe:
      remaining = elapsed.partialValue < span ? span - elapsed.partialValue : nil
    case .hardwareStrobe, nil: break
    }
  }
}
