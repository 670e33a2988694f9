// swift-tools-version: 6.3;(experimentalCGen)
import PackageDescription

/// What every Swift target is compiled with: nothing unsafe without the word, no import that leaks.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Release builds of the program are one static executable, which any x86-64 Linux host runs, an initramfs included.
let staticExecutable = SwiftSetting.unsafeFlags(["-static-executable"], .when(configuration: .release))

/// A C program in release builds: one static file, without the Swift runtime, which C targets get linked to as well.
let staticC: [LinkerSetting] = [
  .unsafeFlags(["-static-executable", "-nostartfiles"], .when(configuration: .release))
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

/// A module in Swift, in `Sources` unless it is said where.
func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil, exclude: [String] = [],
  resources: [Resource]? = nil
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, resources: resources, swiftSettings: strict)
}

/// The tests of a module, in a folder of `Tests`.
func tests(of module: String, with dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
  .testTarget(
    name: "\(module)Tests", dependencies: [.byName(name: module)] + dependencies, exclude: exclude,
    swiftSettings: strict)
}

/// A program that measures.
func benchmark(_ name: String, _ dependencies: [Target.Dependency], in folder: String) -> Target {
  .executableTarget(
    name: name, dependencies: ["Figures", argumentParser] + dependencies, path: "Benchmarks/\(folder)",
    swiftSettings: strict)
}

let package = Package(
  name: "lapwing",
  products: [
    .library(name: "APIC", targets: ["APIC"]),
    .library(name: "KVM", targets: ["KVM"]),
    .library(name: "ReferenceModel", targets: ["ReferenceModel"]),
    .library(name: "VMM", targets: ["VMM"]),
    .library(name: "MachineState", targets: ["MachineState"]),
    .library(name: "Evidence", targets: ["Evidence"]),
    .library(name: "Scenarios", targets: ["Scenarios"]),
    .library(name: "Reports", targets: ["Reports"]),
    .executable(name: "lapwing", targets: ["lapwing"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.6.1"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    // Without its traits, which take all of Foundation, and a static executable with it that is a third larger.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
  ],
  targets: [
    module("APIC"),
    tests(of: "APIC"),
    // The interrupt controllers as pure values: what a kernel, or another program's irqchip, is compared with.
    module("ReferenceModel", ["APIC"]),
    tests(of: "ReferenceModel", with: ["APIC", "TestImages"]),
    .target(name: "GuestContract"),

    // What every module of the host needs: files, threads, shared work, numbers and sizes as text.
    .target(name: "CSupport"),
    module("Support", ["CSupport", system]),
    tests(of: "Support", with: [system]),
    // What a process gives up before it runs what it does not trust.
    .target(name: "CConfinement"),
    module("Confinement", ["CConfinement", system]),
    tests(of: "Confinement", with: ["CTrial", "confinement-trial", system]),
    module("JSON", ["Support"]),
    tests(of: "JSON"),

    .target(name: "CKVM"),
    module("KVM", ["APIC", "CKVM", "Support", system]),
    tests(of: "KVM", with: ["APIC", system]),
    // Random histories on KVM and on the model.
    module("Exploration", ["APIC", "JSON", "KVM", "ReferenceModel", "Support", system]),
    tests(of: "Exploration", with: ["APIC", "JSON", "KVM", "ReferenceModel", system]),

    .target(name: "CVMM"),
    module("VMM", ["APIC", "CVMM", "Confinement", "GuestContract", "KVM", "Support", system]),
    tests(
      of: "VMM", with: ["APIC", "BuiltInGuests", "GuestContract", "KVM", "ReferenceModel", "TestImages", system]),

    // The guests: compiled for the bare machine by the plugin, embedded as data.
    .target(
      name: "GuestImages", path: "Guests", sources: ["GuestImages.c"], plugins: ["BuildGuests"]),
    .plugin(
      name: "BuildGuests", capability: .buildTool(), dependencies: ["guest-catalog"], path: "Plugins/GuestImages"),
    .executableTarget(name: "guest-catalog", path: "Plugins/guest-catalog"),
    module("BuiltInGuests", ["GuestImages", "VMM"]),

    module("MachineState", ["APIC", "JSON", "KVM", "Support", "VMM", system]),
    tests(
      of: "MachineState",
      with: ["APIC", "BuiltInGuests", "GuestContract", "JSON", "KVM", "TestImages", "VMM", system]),
    // What other programs saved, read into one model whose parts may be absent.
    module("ForeignStates", ["APIC", "JSON", "KVM", "MachineState", "Support", "VMM", system]),
    tests(of: "ForeignStates", with: ["APIC", "KVM", "MachineState", "Support", "TestStates", "VMM", system]),
    // What is wrong with a state: one value a rule.
    module("Rules", ["APIC", "ForeignStates", "KVM", "MachineState", "Support", "VMM"]),
    tests(of: "Rules", with: ["APIC", "ForeignStates", "KVM", "MachineState", "TestStates"]),

    module("Debugger", ["APIC", "KVM", "Support", "VMM", system]),
    tests(of: "Debugger", with: ["KVM", "Support", "TestImages", "VMM", system]),
    // Stimuli from outside: injections at their moments, the control socket.
    module("Control", ["APIC", "JSON", "KVM", "MachineState", "Support", "VMM", system]),
    tests(of: "Control", with: ["APIC", "JSON", "KVM", "TestImages", "VMM"]),

    .target(name: "CEvidence"),
    module("Evidence", ["APIC", "CEvidence", "KVM", "Support", "VMM", system]),
    tests(of: "Evidence", with: ["APIC", "BuiltInGuests", "KVM", "TestImages", "VMM", system], exclude: ["Formats"]),
    // What happens on machines that other processes run.
    module("Watch", ["APIC", "Evidence", "KVM", "Support", system, histogram]),
    tests(of: "Watch", with: ["APIC", "Evidence", "KVM", "Support", system]),
    // Timelines of a recording: one model, and a writer for each kind of file. The parts of the page are put together as it
    // is written.
    module(
      "Timelines", ["APIC", "Evidence", "JSON", "Support", protobuf, system], exclude: ["Perfetto/Trace.proto"],
      resources: [.embedInCode("HTML/Page")]),
    tests(of: "Timelines", with: ["APIC", "Evidence", "KVM", "Support", protobuf, system]),

    module(
      "Scenarios", ["APIC", "BuiltInGuests", "Evidence", "GuestContract", "KVM", "MachineState", "Support", "VMM"]),
    tests(of: "Scenarios", with: ["APIC", "Evidence", "KVM", "Reports", "Support", "VMM", system]),
    module("Measurements", ["APIC", "BuiltInGuests", "GuestContract", "KVM", "MachineState", "VMM", histogram]),
    tests(
      of: "Measurements",
      with: ["APIC", "BuiltInGuests", "GuestContract", "KVM", "MachineState", "TestImages", "VMM"]),
    module("UnitTests", ["Evidence", "KVM", "Support", "VMM", system]),
    tests(of: "UnitTests", with: ["KVM", "TestImages", "VMM", system]),

    module(
      "Reports",
      [
        "APIC", "Confinement", "Control", "Evidence", "ForeignStates", "JSON", "KVM", "MachineState", "Measurements",
        "Rules", "Scenarios", "Support", "UnitTests", "VMM", "Watch", system,
      ]),
    tests(
      of: "Reports",
      with: [
        "APIC", "Confinement", "Control", "Evidence", "ForeignStates", "GuestContract", "KVM", "MachineState",
        "Measurements", "Support", "TestStates", "UnitTests", "VMM", "Watch", system,
      ]),
    .target(name: "CProcess"),
    .executableTarget(
      name: "lapwing",
      dependencies: [
        "APIC", "BuiltInGuests", "CProcess", "Confinement", "Control", "Debugger", "Evidence", "Exploration",
        "ForeignStates", "JSON",
        "KVM", "MachineState", "Measurements", "ReferenceModel", "Reports", "Rules", "Scenarios", "Support",
        "Timelines", "UnitTests", "VMM", "Watch", argumentParser, system,
      ],
      swiftSettings: strict + [staticExecutable],
      linkerSettings: [
        .unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release)),
        .linkedLibrary("_FoundationCShims", .when(configuration: .release)),
        .linkedLibrary("_FoundationCollections", .when(configuration: .release)),
      ]),
    // The program itself, run as its users run it.
    .testTarget(
      name: "LapwingTests",
      dependencies: [
        "APIC", "ForeignStates", "KVM", "MachineState", "Reports", "Rules", "TestImages", "TestStates", "VMM",
        "lapwing",
      ],
      swiftSettings: strict),

    // Guests and images that tests make up byte by byte, and states, as a capture would take them.
    module("TestImages", path: "Tests/TestImages"),
    module("TestStates", ["APIC", "KVM", "MachineState", "VMM"], path: "Tests/TestStates"),
    // Random hostile guests against the virtual machine monitor: a program, so that the labs can run it too.
    .executableTarget(
      name: "hostile-guests", dependencies: ["KVM", "Reports", "TestImages", "VMM", argumentParser],
      path: "Tests/HostileGuests", swiftSettings: strict + [staticExecutable],
      linkerSettings: [.unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release))]),

    // A confined process that tries what it may no longer do.
    .target(name: "CTrial", path: "Tests/ConfinementTrial/Calls"),
    .executableTarget(
      name: "confinement-trial", dependencies: ["CTrial", "Confinement", "KVM", "Support", "TestImages", "VMM"],
      path: "Tests/ConfinementTrial/Program", swiftSettings: strict),

    // What Lapwing is measured against, and what measures.
    .target(name: "FloorMachine", dependencies: ["GuestContract"], path: "Benchmarks/FloorMachine"),
    .executableTarget(
      name: "floor", dependencies: ["FloorMachine", "GuestImages"], path: "Benchmarks/Floor", linkerSettings: staticC),
    .executableTarget(name: "measure", path: "Benchmarks/Measure", linkerSettings: staticC),
    .target(name: "StateFloor", path: "Benchmarks/StateFloor"),
    module("Figures", path: "Benchmarks/Figures"),
    benchmark("compare", [], in: "Compare"),
    benchmark("port-exits", ["FloorMachine", "KVM", "VMM"], in: "PortExits"),
    benchmark("latencies", ["APIC", "FloorMachine", "GuestImages", "KVM", "Measurements"], in: "Latencies"),
    benchmark(
      "state-costs", ["APIC", "BuiltInGuests", "KVM", "MachineState", "StateFloor", "VMM"], in: "StateCosts"),
    benchmark("trace-costs", ["APIC", "BuiltInGuests", "Evidence", "KVM", "VMM", "Watch", system], in: "TraceCosts"),
  ]
)

// Fuzzes what bytes from outside reach: scripts/fuzz builds it, with coverage everywhere.
if Context.environment["LAPWING_FUZZER"] != nil {
  package.targets += [
    .target(name: "CFuzzer", path: "Tests/Fuzzing/Driver"),
    .executableTarget(
      name: "fuzzer",
      dependencies: [
        "APIC", "CFuzzer", "Control", "Debugger", "Evidence", "ForeignStates", "GuestContract", "JSON", "Rules",
        "Support", "TestImages", "UnitTests", "VMM", system,
      ], path: "Tests/Fuzzing/Program",
      swiftSettings: strict, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
  ]
}
