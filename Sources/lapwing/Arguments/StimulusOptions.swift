import ArgumentParser
import Control
import Glibc
import Support
import SystemPackage
import VMM

/// What comes to a guest from outside, its console's input and interrupts at their moments: what `run` and `restore` have in common.
struct StimulusOptions: ParsableArguments {
  @Option(
    help: """
      What the guest receives on its serial console: a file, or - for standard input. It is given as fast as the guest \
      reads it.
      """, completion: .file())
  var input: String?

  @Option(
    help: """
      An interrupt from outside, and when, any number of them: line:GSI=0, 1 or pulse; msi:ADDRESS:DATA; nmi:VCPU; \
      irqfd:GSI. Then @ and a time after the start, such as 5ms, or mark:N, mark:TEXT or exit:N as for 'snapshot --at'. \
      'line:20=pulse@5ms x10/2ms' does it ten times, 2 ms apart.
      """)
  var inject: [String] = []

  @Option(help: "A file with such, one a line, behind those of --inject; # begins a remark.", completion: .file())
  var injectFile: String?

  @Flag(help: "End with status 1 where an injection was refused or its moment never came.")
  var strict = false

  /// The files that are read.
  var files: [(what: TextLine, name: String?)] {
    [("--input", input == Self.standardInput ? nil : input), ("--inject-file", injectFile)]
  }

  func validate() throws {
    if strict, inject.isEmpty, injectFile == nil { throw ValidationError("--strict needs --inject or --inject-file") }
    for text in inject {
      do throws(StimulusError) {
        _ = try Injection(written: text)
      } catch {
        throw ValidationError("--inject: \(error)")
      }
    }
  }
}

/// What the guest's serial port receives.
extension StimulusOptions {
  fileprivate static let standardInput = "-"
  /// A longer file is no console input.
  private static let sizeLimit = 64 << 20

  /// What may interrupt the guest by its serial port, in words.
  var inputSources: [String] { input == Self.standardInput ? ["input from standard input"] : [] }

  /// What types it into a machine, read where it is a file: before signals are held, as it may be a pipe whose writer
  /// sleeps.
  ///
  /// - Parameter patience: how long that may take.
  func typist(within patience: Duration) throws(Failure) -> (@Sendable (Machine) -> Void)? {
    guard let input else { return nil }
    guard input != Self.standardInput else { return { Self.typeStandardInput(into: $0) } }
    let bytes = try readInput(input, as: "the input ", limit: Self.sizeLimit, within: patience)
    return { $0.serial.type(bytes) }
  }

  /// Reads on a thread of its own, which may wait in a read when the machine has long ended: nobody waits for it.
  private static func typeStandardInput(into machine: Machine) {
    try? HostThread.startDetached { [serial = machine.serial, stop = machine.stop] in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while stop.reason == nil {
        // Sound: the call writes at most as many bytes as the buffer has.
        let count = try? unsafe buffer.withUnsafeMutableBytes { try unsafe FileDescriptor.standardInput.read(into: $0) }
        guard let count, count > 0 else { return }
        serial.type(Array(buffer[..<count]))
        while serial.waitingInput > buffer.count, stop.reason == nil { stop.wait(atMost: .milliseconds(1)) }
      }
    }
  }
}

/// Interrupts from outside.
extension StimulusOptions {
  /// What is to be injected; nil where nothing is asked for.
  ///
  /// A file is read before signals are held, as it may be a pipe whose writer sleeps.
  ///
  /// - Parameters:
  ///   - vcpus: how many vCPUs the machine has.
  ///   - patience: how long a pipe may take to its end.
  /// - Throws: `Failure` before anything runs.
  func plan(vcpus: Int, within patience: Duration) throws(Failure) -> InjectionPlan? {
    guard !inject.isEmpty || injectFile != nil else { return nil }
    var injections: [Injection] = []
    do throws(StimulusError) {
      for text in inject {
        injections.append(try Injection(written: text))
        try injections[injections.count - 1].stimulus.validate(vcpus: vcpus)
      }
      try InjectionList.check(injections)
    } catch {
      throw Failure("--inject: \(error)", .usage)
    }
    if let injectFile { injections += try read(injectFile, vcpus: vcpus, within: patience) }
    do throws(StimulusError) { try InjectionList.check(injections) } catch { throw Failure("\(error)", .usage) }
    return InjectionPlan(injections: injections, isStrict: strict)
  }

  private func read(_ file: String, vcpus: Int, within patience: Duration) throws(Failure) -> [Injection] {
    let bytes = try readInput(file, as: "the injections ", limit: InjectionList.sizeLimit, within: patience)
    do throws(StimulusError) {
      return try InjectionList.parse(bytes, vcpus: vcpus)
    } catch {
      throw Failure("'\(file)': \(error)", .badFile)
    }
  }
}

/// What a run is given from outside.
struct InjectionPlan {
  /// In the order in which they were written.
  let injections: [Injection]
  /// Whether one that is missed makes the run fail.
  let isStrict: Bool

  /// What carries them out, of a machine that has not been started.
  func injector(into machine: Machine) throws(Failure) -> Injector {
    do throws(Errno) {
      return try Injector(injections, into: machine)
    } catch {
      throw Failure(.thread(errno: error.rawValue))
    }
  }
}
