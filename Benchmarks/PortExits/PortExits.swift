import ArgumentParser
import FloorMachine
import Foundation

/// What one exit to user space and back costs with Lapwing's vCPU and bus, and with the floor's loop in C.
///
/// Both run the same four bytes of guest code on machines of the same make, in one process and in turns.
@main
struct PortExits: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "port-exits",
    abstract: "Compares what a port exit costs with Lapwing and with a bare loop in C.",
    discussion: "Exit status: 0 success; 64 wrong usage; 69 this host cannot; 70 an internal fault; 124 the time limit."
  )

  /// How the result is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case human
    case json
  }

  @Option(help: "How many exits a batch has.")
  var exits: UInt32 = 100

  @Option(help: "How many batches of each are counted.")
  var batches = 250

  @Option(help: "How many seconds all of it may take.")
  var limit: UInt32 = 120

  @Option(help: "How to print the result.")
  var format = Format.human

  func validate() throws {
    guard 1...1_000_000 ~= exits else { throw ValidationError("--exits takes 1 to 1000000.") }
    guard 1...10_000 ~= batches else { throw ValidationError("--batches takes 1 to 10000.") }
    guard 1...3600 ~= limit else { throw ValidationError("--limit takes 1 to 3600 seconds.") }
  }

  func run() throws {
    TimeLimit.set(seconds: limit)
    do throws(Failure) {
      let comparison = try measure()
      print(format == .json ? try comparison.json() : comparison.table())
    } catch {
      FileHandle.standardError.write(Data("port-exits: \(error.message)\n".utf8))
      throw ExitCode(error.status)
    }
  }

  private func measure() throws(Failure) -> ExitCosts {
    let floor = try FloorLoop()
    let lapwing = try LapwingLoop()
    _ = try floor.nanosecondsPerExit(exits)
    _ = try lapwing.nanosecondsPerExit(exits)
    var costs: (floor: [Double], lapwing: [Double]) = ([], [])
    for batch in 0..<batches {
      // Who goes first changes, so that neither has always the other's caches.
      if batch.isMultiple(of: 2) {
        costs.floor.append(try floor.nanosecondsPerExit(exits))
        costs.lapwing.append(try lapwing.nanosecondsPerExit(exits))
      } else {
        costs.lapwing.append(try lapwing.nanosecondsPerExit(exits))
        costs.floor.append(try floor.nanosecondsPerExit(exits))
      }
    }
    return ExitCosts(exits: exits, floor: costs.floor, lapwing: costs.lapwing)
  }
}

/// Something went wrong: what a person reads on standard error, and how the program ends (sysexits.h).
struct Failure: Error {
  static let hostCannot: Int32 = 69
  static let internalFault: Int32 = 70

  let message: String
  let status: Int32
}
