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
    .target(name: "APIC", swiftSettings: strict),
    .testTarget(name: "APICTests", dependencies: ["APIC"], swiftSettings: strict),

    // The interrupt controllers as pure values: what a kernel, or another program's irqchip, is compared with.
    .target(name: "ReferenceModel", dependencies: ["APIC"], swiftSettings: strict),
    .testTarget(
      name: "ReferenceModelTests", dependencies: ["APIC", "ReferenceModel", "TestImages"], swiftSettings: strict),

    .target(name: "GuestContract"),

    // What every module of the host needs: files, threads, shared work, numbers and sizes as text.
    .target(name: "CSupport"),
    .target(
      name: "Support", dependencies: ["CSupport", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),
    .testTarget(
      name: "SupportTests", dependencies: ["Support", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),

    .target(name: "JSON", dependencies: ["Support"], swiftSettings: strict),
    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),

    .target(name: "CKVM"),
    .target(
      name: "KVM",
      dependencies: ["APIC", "CKVM", "Support", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),
    .testTarget(
      name: "KVMTests",
      dependencies: ["APIC", "KVM", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),

    .target(
      name: "Exploration",
      dependencies: [
        "APIC", "JSON", "KVM", "ReferenceModel", "Support", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ExplorationTests",
      dependencies: [
        "APIC", "Exploration", "JSON", "KVM", "ReferenceModel",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),

    .target(name: "CVMM"),
    .target(
      name: "VMM",
      dependencies: [
        "APIC", "CVMM", "GuestContract", "KVM", "Support", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),

    // The guests: compiled for the bare machine by the plugin, embedded as data.
    .target(
      name: "GuestImages", path: "Guests", sources: ["GuestImages.c"], plugins: ["BuildGuests"]),
    .plugin(
      name: "BuildGuests", capability: .buildTool(), dependencies: ["guest-catalog"], path: "Plugins/GuestImages"),
    .target(name: "BuiltInGuests", dependencies: ["GuestImages", "VMM"], swiftSettings: strict),

    .target(
      name: "MachineState",
      dependencies: [
        "APIC", "JSON", "KVM", "Support", "VMM", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MachineStateTests",
      dependencies: [
        "APIC", "BuiltInGuests", "GuestContract", "JSON", "KVM", "MachineState", "TestImages", "VMM",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),

    // What other programs saved, read into one model whose parts may be absent.
    .target(
      name: "ForeignStates",
      dependencies: [
        "APIC", "JSON", "KVM", "MachineState", "Support", "VMM",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    // What is wrong with a state: one value a rule.
    .target(
      name: "Rules", dependencies: ["APIC", "ForeignStates", "KVM", "MachineState", "Support", "VMM"],
      swiftSettings: strict),

    .target(
      name: "Debugger",
      dependencies: ["APIC", "KVM", "Support", "VMM", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),
    .testTarget(
      name: "DebuggerTests",
      dependencies: [
        "Debugger", "KVM", "Support", "TestImages", "VMM", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),

    .target(name: "CEvidence"),
    .target(
      name: "Evidence",
      dependencies: [
        "APIC", "CEvidence", "KVM", "Support", "VMM", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EvidenceTests",
      dependencies: [
        "APIC", "BuiltInGuests", "Evidence", "KVM", "TestImages", "VMM",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      exclude: ["Formats"],
      swiftSettings: strict),
    // What happens on machines that other processes run.
    .target(
      name: "Watch",
      dependencies: [
        "APIC", "Evidence", "KVM", "Support", .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "WatchTests",
      dependencies: [
        "APIC", "Evidence", "KVM", "Support", "Watch", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .target(
      name: "Scenarios",
      dependencies: [
        "APIC", "BuiltInGuests", "Evidence", "GuestContract", "KVM", "MachineState", "Support", "VMM",
      ],
      swiftSettings: strict),
    .target(
      name: "Measurements",
      dependencies: [
        "APIC", "BuiltInGuests", "GuestContract", "KVM", "MachineState", "VMM",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MeasurementsTests",
      dependencies: [
        "APIC", "BuiltInGuests", "GuestContract", "KVM", "MachineState", "Measurements", "TestImages", "VMM",
      ],
      swiftSettings: strict),
    .target(
      name: "UnitTests",
      dependencies: ["Evidence", "KVM", "Support", "VMM", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),
    .testTarget(
      name: "UnitTestsTests",
      dependencies: [
        "KVM", "TestImages", "UnitTests", "VMM", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    // Stimuli from outside: injections at their moments.
    .target(
      name: "Control",
      dependencies: [
        "APIC", "JSON", "KVM", "MachineState", "Support", "VMM",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ControlTests",
      dependencies: ["APIC", "Control", "JSON", "KVM", "TestImages", "VMM"], swiftSettings: strict),
    // Timelines of a recording: one model, and a writer for each kind of file.
    .target(
      name: "Timelines",
      dependencies: [
        "APIC", "Evidence", "JSON", "Support", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      exclude: ["Perfetto/Trace.proto"],
      // The parts of the page, which are put together as it is written.
      resources: [.embedInCode("HTML/Page")],
      swiftSettings: strict),
    .testTarget(
      name: "TimelinesTests",
      dependencies: [
        "APIC", "Evidence", "KVM", "Support", "Timelines", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .target(
      name: "Reports",
      dependencies: [
        "APIC", "Control", "Evidence", "ForeignStates", "JSON", "KVM", "MachineState", "Measurements", "Rules",
        "Scenarios", "Support", "UnitTests", "VMM", "Watch",
      ],
      swiftSettings: strict),
    .target(name: "CProcess"),
    .executableTarget(
      name: "lapwing",
      dependencies: [
        "APIC", "BuiltInGuests", "CProcess", "Control", "Debugger", "Evidence", "Exploration", "ForeignStates", "JSON",
        "KVM", "MachineState", "Measurements", "ReferenceModel", "Reports", "Rules", "Scenarios", "Support",
        "Timelines", "UnitTests", "VMM", "Watch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict + [staticExecutable],
      linkerSettings: [
        .unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release)),
        .linkedLibrary("_FoundationCShims", .when(configuration: .release)),
        .linkedLibrary("_FoundationCollections", .when(configuration: .release)),
      ]),
    .executableTarget(name: "guest-catalog", path: "Plugins/guest-catalog"),

    // What Lapwing is measured against, and what measures.
    .target(name: "FloorMachine", dependencies: ["GuestContract"], path: "Benchmarks/FloorMachine"),
    .executableTarget(
      name: "floor", dependencies: ["FloorMachine", "GuestImages"], path: "Benchmarks/Floor", linkerSettings: staticC),
    .executableTarget(name: "measure", path: "Benchmarks/Measure", linkerSettings: staticC),
    .target(name: "Figures", path: "Benchmarks/Figures", swiftSettings: strict),
    .executableTarget(
      name: "compare",
      dependencies: ["Figures", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Benchmarks/Compare", swiftSettings: strict),
    .executableTarget(
      name: "port-exits",
      dependencies: [
        "Figures", "FloorMachine", "KVM", "VMM",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/PortExits", swiftSettings: strict),

    .executableTarget(
      name: "latencies",
      dependencies: [
        "APIC", "Figures", "FloorMachine", "GuestImages", "KVM", "Measurements",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/Latencies", swiftSettings: strict),
    .target(name: "StateFloor", path: "Benchmarks/StateFloor"),
    .executableTarget(
      name: "state-costs",
      dependencies: [
        "APIC", "BuiltInGuests", "Figures", "KVM", "MachineState", "StateFloor", "VMM",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/StateCosts", swiftSettings: strict),

    .executableTarget(
      name: "trace-costs",
      dependencies: [
        "APIC", "BuiltInGuests", "Evidence", "Figures", "KVM", "VMM", "Watch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: "Benchmarks/TraceCosts", swiftSettings: strict),

    // Random hostile guests against the virtual machine monitor: a program, so that the labs can run it too.
    .executableTarget(
      name: "hostile-guests",
      dependencies: [
        "KVM", "Reports", "TestImages", "VMM", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/HostileGuests", swiftSettings: strict + [staticExecutable],
      linkerSettings: [.unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release))]),
    // Guests and images that tests make up byte by byte.
    .target(name: "TestImages", path: "Tests/TestImages", swiftSettings: strict),
    // States that tests make up, as a capture would take them.
    .target(
      name: "TestStates", dependencies: ["APIC", "KVM", "MachineState", "VMM"], path: "Tests/TestStates",
      swiftSettings: strict),
    .testTarget(
      name: "ForeignStatesTests",
      dependencies: [
        "APIC", "ForeignStates", "KVM", "MachineState", "Support", "TestStates",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "RulesTests", dependencies: ["APIC", "ForeignStates", "KVM", "MachineState", "Rules", "TestStates"],
      swiftSettings: strict),
    .testTarget(
      name: "VMMTests",
      dependencies: [
        "APIC", "BuiltInGuests", "GuestContract", "KVM", "ReferenceModel", "TestImages", "VMM",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ReportsTests",
      dependencies: [
        "APIC", "Control", "Evidence", "ForeignStates", "GuestContract", "KVM", "MachineState", "Measurements",
        "Reports", "Support", "TestStates", "UnitTests", "VMM", "Watch",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ScenariosTests",
      dependencies: [
        "APIC", "Evidence", "KVM", "Reports", "Scenarios", "Support", "VMM",
        .product(name: "SystemPackage", package: "swift-system"),
      ], swiftSettings: strict),
    // The program itself, run as its users run it.
    .testTarget(
      name: "LapwingTests",
      dependencies: [
        "APIC", "ForeignStates", "KVM", "MachineState", "Reports", "Rules", "TestImages", "TestStates", "VMM",
        "lapwing",
      ],
      swiftSettings: strict),
  ]
)

// Fuzzes the readers of states: scripts/fuzz-states builds it, with coverage everywhere.
if Context.environment["LAPWING_FUZZER"] != nil {
  package.targets += [
    .target(name: "CFuzzer", path: "Tests/StateFuzzer/Driver"),
    .executableTarget(
      name: "state-fuzzer", dependencies: ["CFuzzer", "ForeignStates", "Rules"], path: "Tests/StateFuzzer/Program",
      swiftSettings: strict, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
  ]
}
