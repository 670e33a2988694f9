/// What images find as their environment: lines `NAME=value`, as the suite's own scripts write them.
public enum UnitTestEnvironment {
  /// What the scripts say of a kernel's release, such as `6.18.0-1-amd64`.
  public static func describing(kernel release: String) -> [UInt8] {
    let parts = release.split(separator: "-", maxSplits: 1)
    let numbers = (parts.first ?? "").split(separator: ".").map { $0.prefix { $0.isNumber } }
    var lines = ["TARGET=lapwing", "KERNEL_VERSION_STRING=\(release)"]
    for (name, number) in zip(["KERNEL_VERSION", "KERNEL_PATCHLEVEL", "KERNEL_SUBLEVEL"], numbers) {
      lines.append("\(name)=\(number)")
    }
    lines.append("KERNEL_EXTRAVERSION=\(parts.count > 1 ? parts[1] : "")")
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }
}
