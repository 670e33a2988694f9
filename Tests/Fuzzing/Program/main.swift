// fuzzer --list | fuzzer TARGET --seeds FOLDER | fuzzer TARGET [argument of libFuzzer...]
// scripts/fuzz builds and runs it.
import CFuzzer
import Glibc

/// The target that the command line names.
enum Chosen {
  static let target: FuzzTarget? = CommandLine.arguments.dropFirst().first.flatMap { name in
    FuzzTarget.all.first { $0.name == name }
  }
}

/// Writes a target's seeds into a folder, by number.
func writeSeeds(of target: FuzzTarget, into folder: String) {
  for (index, seed) in target.seeds.enumerated() {
    guard let file = unsafe fopen("\(folder)/seed-\(index)", "w") else {
      print("\(folder) cannot be written to")
      exit(1)
    }
    // Sound: the call reads as many bytes as the array has.
    _ = unsafe seed.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
    unsafe fclose(file)
  }
}

let arguments = CommandLine.arguments
if arguments.count == 2, arguments[1] == "--list" {
  for target in FuzzTarget.all { print(target.name) }
  exit(0)
}
guard let target = Chosen.target else {
  print("name one of: \(FuzzTarget.all.map(\.name).joined(separator: " "))")
  exit(64)
}
if arguments.count == 4, arguments[2] == "--seeds" {
  writeSeeds(of: target, into: arguments[3])
  exit(0)
}

// Sound: the arguments are the process's own, which stay as they are until it ends; libFuzzer gives as many bytes as it says, which
// are there during the call. The target's name takes the place of the program's.
_ = unsafe cfuzzer_run(CommandLine.argc - 1, CommandLine.unsafeArgv + 1) { data, size in
  Chosen.target?.feed(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
