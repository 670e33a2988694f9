import VMM

extension Console {
  /// What a Linux kernel said of the panic that made it reset the machine (kernel/panic.c); nil where it said nothing of one.
  var kernelPanic: Substring? {
    let start = "Kernel panic - not syncing: "
    let line = text.split(whereSeparator: \.isNewline).last { $0.contains(start) }
    return line.flatMap { line in line.firstRange(of: start).map { line[$0.upperBound...] } }
  }
}
