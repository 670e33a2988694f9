import CTrial
import Confinement
import Foundation
import KVM
import Support
import TestImages
import VMM

/// A process that confines itself and then does what a process would that somebody has taken over. It prints the errno of what
/// it tried, 0 for what was let through.
///
///     confinement-trial guest INDEX             a guest's write to a port has the vCPU's thread make a system call
///     confinement-trial guest-thread    a guest's write to a port has the vCPU's thread start another, which says so
///     confinement-trial thread INDEX            the same on the first thread
///     confinement-trial open FOLDER read|write PATH   opens a file, where FOLDER may be written
@main
struct Trial {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch (arguments.first, arguments.count) {
    case ("guest", 2):
      let call = Int32(arguments[1]) ?? -1
      runGuest { say("\(make(call))") }
    case ("guest-thread", 1):
      runGuest {
        guard let thread = try? HostThread.start({ say("another thread runs") }) else { return say("none starts") }
        pthread_join(thread, nil)
      }
    case ("thread", 2):
      try Confinement(exitStatus: 70).enter()
      print(make(Int32(arguments[1]) ?? -1))
    case ("open", 4):
      var confinement = Confinement(exitStatus: 70)
      confinement.paths = [PathGrant(arguments[1], .output)]
      try confinement.enter()
      // Sound: the path is NUL-terminated and outlives the call.
      print(unsafe arguments[3].withCString { unsafe ctrial_open($0, arguments[2] == "write" ? 1 : 0) })
    default: exit(64)
    }
  }

  private static func make(_ index: Int32) -> Int32 {
    guard unsafe ctrial_name(index) != nil else { exit(64) }
    return ctrial_make(index)
  }

  private static func say(_ line: String) {
    // Sound: the line is NUL-terminated and outlives the call.
    unsafe line.withCString { unsafe ctrial_say($0) }
  }

  /// What a guest has made where it writes to the port.
  private struct Accomplice: BusDevice {
    static let port: UInt16 = 0x600
    let body: @Sendable () -> Void

    func read(_ access: BusAccess) -> UInt64 { 0 }

    func write(_ value: UInt64, _ access: BusAccess) {
      Trial.say("the guest asks")
      body()
    }
  }

  private static func runGuest(_ body: @escaping @Sendable () -> Void) {
    do {
      let system = try KVM.open()
      var confinement = Confinement(exitStatus: 70)
      confinement.paths = []
      try confinement.enter()
      let hooks = MachineHooks(devices: { _ in
        let port = UInt64(Accomplice.port)
        return [AttachedDevice(at: .ports(port..<port + 1), Accomplice(body: body))]
      })
      let code = Code(.long).out(1, to: Accomplice.port).debugExit(0).bytes
      let image = GuestImage(name: "accomplice", bytes: ELFImage(code: code).bytes)
      let machine = try Machine(MachineConfiguration(), image: image, on: system, console: Console(), hooks: hooks)
      print(try machine.run(limit: .seconds(60)))
    } catch {
      print("\(error)")
      exit(69)
    }
  }
}
