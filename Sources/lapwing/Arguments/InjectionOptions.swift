import ArgumentParser
import Control
import Support
import SystemPackage
import VMM

/// Interrupts from outside at their moments: what `run` and `restore` have in common.
struct InjectionOptions: ParsableArguments {
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

  /// The file that is read.
  var files: [(what: TextLine, name: String?)] { [("--inject-file", injectFile)] }

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
