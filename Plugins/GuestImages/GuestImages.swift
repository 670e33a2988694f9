import Foundation
import PackagePlugin

/// Builds every guest for the bare machine and embeds the images in the target that it is applied to.
///
/// A guest is one file beside `GuestKit`: `NAME.swift` is Embedded Swift on top of GuestKit, `Bare/NAME.S` is assembly
/// that knows nothing of Lapwing, a Multiboot image. A guest that is too long for one file is a folder, `NAME/NAME.swift`
/// and the files beside it.
@main
struct GuestImages: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    try GuestBuild(context: context, folder: target.directoryURL).commands()
  }
}

/// The commands of one build, in the order in which they depend on each other.
private struct GuestBuild {
  let package: URL
  let sources: URL
  let folder: URL
  let output: URL
  let swiftc: URL
  let clang: URL
  let linker: URL
  let catalog: URL

  init(context: PluginContext, folder: URL) throws {
    package = context.package.directoryURL
    sources = context.package.directoryURL.appending(path: "Sources")
    self.folder = folder
    output = context.pluginWorkDirectoryURL
    swiftc = try context.tool(named: "swiftc").url
    clang = try context.tool(named: "clang").url
    linker = try context.tool(named: "ld.lld").url
    catalog = try context.tool(named: "guest-catalog").url
  }

  func commands() throws -> [Command] {
    let kit = folder.appending(path: "GuestKit")
    let apic = try module("APIC", sources: sources.appending(path: "APIC"), imports: [])
    let guestKit = try module("GuestKit", sources: kit, imports: [apic.interface])
    let entry = assemble(kit.appending(path: "Entry.S"), target: "x86_64-unknown-none-elf")
    var commands = [apic.command, guestKit.command, entry.command]
    var guests: [Guest] = []

    for (source, files) in try guestSources() {
      let compiled = compile(files, as: source, imports: [apic.interface, guestKit.interface])
      let linked = link(
        [entry.object, compiled.object, guestKit.object, apic.object], script: kit.appending(path: "guest.ld"),
        as: source)
      commands += [compiled.command] + linked.commands
      guests.append(linked.guest)
    }
    let bare = folder.appending(path: "Bare")
    for source in try files(in: bare, withExtension: "S") {
      let assembled = assemble(source, target: "i386-unknown-none-elf")
      let linked = link([assembled.object], script: bare.appending(path: "multiboot.ld"), as: source)
      commands += [assembled.command] + linked.commands
      guests.append(linked.guest)
    }
    return commands + [embed(guests)]
  }

  struct Guest {
    let source: URL
    let image: URL
    /// The image with symbols and line tables, for a debugger.
    let symbols: URL
  }

  /// Each guest on top of GuestKit: the file that has its name, and all of its files.
  private func guestSources() throws -> [(source: URL, files: [URL])] {
    var guests = try files(in: folder, withExtension: "swift").map { (source: $0, files: [$0]) }
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      let source = folder.appending(path: "\(name)/\(name).swift")
      guard FileManager.default.fileExists(atPath: source.path) else { continue }
      guests.append((source, try files(in: folder.appending(path: name), withExtension: "swift")))
    }
    return guests
  }

  // MARK: Commands

  private func module(
    _ name: String, sources: URL, imports: [URL]
  ) throws -> (command: Command, object: URL, interface: URL) {
    let object = output.appending(path: "\(name).o")
    let interface = output.appending(path: "\(name).swiftmodule")
    let inputs = try files(in: sources, withExtension: "swift", recursively: true)
    let command = Command.buildCommand(
      displayName: "Compiling \(name) for guests", executable: swiftc,
      arguments: swiftFlags + [
        "-module-name", name, "-emit-module", "-emit-module-path", interface.path, "-c", "-o", object.path,
      ] + inputs.map(\.path),
      inputFiles: inputs + headers + imports, outputFiles: [object, interface])
    return (command, object, interface)
  }

  private func compile(_ sources: [URL], as source: URL, imports: [URL]) -> (command: Command, object: URL) {
    let name = source.deletingPathExtension().lastPathComponent
    let object = output.appending(path: "guest-\(name).o")
    let command = Command.buildCommand(
      displayName: "Compiling guest \(name)", executable: swiftc,
      arguments: swiftFlags + ["-module-name", "Guest_\(name)", "-c", "-o", object.path] + sources.map(\.path),
      inputFiles: sources + headers + imports, outputFiles: [object])
    return (command, object)
  }

  private func assemble(_ source: URL, target: String) -> (command: Command, object: URL) {
    let name = source.deletingPathExtension().lastPathComponent
    let object = output.appending(path: "assembly-\(name).o")
    let command = Command.buildCommand(
      displayName: "Assembling \(name)", executable: clang,
      arguments: [
        "--target=\(target)", "-g", "-ffile-prefix-map=\(package.path)=.", "-I", contract.path, "-c", source.path, "-o",
        object.path,
      ],
      inputFiles: [source] + headers, outputFiles: [object])
    return (command, object)
  }

  /// Links a guest twice, which differ in what is not loaded alone: the image that is booted stays small.
  private func link(_ objects: [URL], script: URL, as source: URL) -> (commands: [Command], guest: Guest) {
    let name = source.deletingPathExtension().lastPathComponent
    let image = output.appending(path: "\(name).guest")
    let symbols = output.appending(path: "\(name).guest.symbols")
    let commands = [(image, ["--strip-all"]), (symbols, [])].map { file, options in
      Command.buildCommand(
        displayName: "Linking guest \(name)", executable: linker,
        arguments: ["-T", script.path, "--gc-sections", "-static", "-o", file.path] + options + objects.map(\.path),
        inputFiles: objects + [script], outputFiles: [file])
    }
    return (commands, Guest(source: source, image: image, symbols: symbols))
  }

  private func embed(_ guests: [Guest]) -> Command {
    let table = output.appending(path: "GuestImageTable.c")
    return .buildCommand(
      displayName: "Embedding \(guests.count) guests", executable: catalog,
      arguments: [table.path] + guests.flatMap { [$0.source.path, $0.image.path, $0.symbols.path] },
      inputFiles: guests.flatMap { [$0.source, $0.image, $0.symbols] }, outputFiles: [table])
  }

  // MARK: What they share

  private var contract: URL { sources.appending(path: "GuestContract/include") }
  private var machine: URL { folder.appending(path: "GuestKit/include") }

  private var headers: [URL] {
    [
      contract.appending(path: "GuestContract.h"), contract.appending(path: "GuestAgent.h"),
      contract.appending(path: "GuestBench.h"), contract.appending(path: "module.modulemap"),
      machine.appending(path: "GuestMachine.h"), machine.appending(path: "module.modulemap"),
    ]
  }

  /// Embedded Swift for ring 0: no allocations, nothing below the stack pointer, no vector registers.
  private var swiftFlags: [String] {
    [
      "-target", "x86_64-unknown-none-elf", "-enable-experimental-feature", "Embedded", "-wmo", "-Osize",
      "-parse-as-library", "-gline-tables-only", "-file-prefix-map", "\(package.path)=.",
      // References to the compiler's own files of C modules, which are nowhere later.
      "-Xfrontend", "-no-clang-module-breadcrumbs", "-swift-version", "6", "-no-allocations",
      "-enforce-exclusivity=unchecked",
      "-Xfrontend", "-function-sections", "-Xfrontend", "-disable-stack-protector",
      "-Xcc", "-ffreestanding", "-Xcc", "-mno-red-zone", "-Xcc", "-mno-sse", "-Xcc", "-mno-mmx",
      "-Xcc", "-I\(contract.path)",
      "-Xcc", "-fmodule-map-file=\(contract.path)/module.modulemap",
      "-Xcc", "-fmodule-map-file=\(machine.path)/module.modulemap",
      "-I", output.path, "-module-cache-path", output.appending(path: "ModuleCache").path,
    ]
  }

  private func files(in folder: URL, withExtension suffix: String, recursively: Bool = false) throws -> [URL] {
    let names =
      recursively
      ? try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      : try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return names.sorted().map { folder.appending(path: $0) }.filter { $0.pathExtension == suffix }
  }
}
