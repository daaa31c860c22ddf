// swift-tools-version: 6.2
import PackageDescription

/// Every target: warnings are errors, an import is private unless said, `any` is written out.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The instruction set of the kernels; set `MYRIAD_MARCH` (say `x86-64-v3`) to build once for a cluster of mixed machines.
let march = Context.environment["MYRIAD_MARCH"] ?? "native"

/// Inner loops only: no checks, and the CPU's own instructions.
let fast = strict + [.unsafeFlags(["-Ounchecked", "-Xcc", "-march=\(march)"], .when(configuration: .release))]

/// Tables and batches: the debug build checks exclusive access, the release build is spared the bookkeeping.
let lean = strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// Bytes from a file or a socket: every use of unsafe memory is spelled out.
let guarded = strict + [.strictMemorySafety()]

/// Tests: what they test is optimized, they need not be, and build sooner.
let tested = strict + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

/// A module and its tests.
func module(
    _ name: String, _ imports: [Target.Dependency] = [], _ settings: [SwiftSetting] = strict,
    tests: [Target.Dependency] = [], exclude: [String] = [], testing: [SwiftSetting] = tested
) -> [Target] {
    [
        .target(name: name, dependencies: imports, swiftSettings: settings),
        .testTarget(
            name: name + "Tests", dependencies: [.byName(name: name)] + imports + tests, exclude: exclude,
            swiftSettings: testing),
    ]
}

/// Tests that stand beside those of a module: of one of its folders, or of the program.
func tests(_ name: String, of modules: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: modules, exclude: exclude, swiftSettings: tested)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let sockets: Target.Dependency = .product(name: "FlyingSocks", package: "FlyingFox")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// In dependency order: a module imports only what stands above it.
let modules: [[Target]] = [
    [.systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])])],
    [.systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])])],
    [.systemLibrary(name: "CCompression", providers: [.apt(["zlib1g-dev", "libzstd-dev"])])],
    [.target(name: "CShims")],
    [.target(name: "CAllocationCounter", path: "Tests/CAllocationCounter")],
    [.target(name: "TestMachine", path: "Tests/TestMachine", swiftSettings: strict)],
    module("Tensors", [], lean),
    [tests("Safetensors", of: ["Tensors"])],
    module("Telemetry", tests: ["Tensors", "Processes", "TestMachine"]),
    [tests("Evaluation", of: ["Telemetry"])],
    module("Processes", ["Telemetry", "CShims"]),
    [
        .target(
            name: "Display", dependencies: ["Tensors", "Telemetry", "CShims", sockets], exclude: ["Page/Resources"],
            swiftSettings: strict),
        tests("Display", of: ["Display", "Telemetry"]),
        tests("Terminal", of: ["Display", "Telemetry", "Tensors"]),
        tests(
            "Records", of: ["Display", "Telemetry", "Tensors", "myriad", "Processes", "TestMachine"],
            exclude: ["Python"]),
        tests(
            "Dashboard",
            of: ["Display", "Telemetry", "Cluster", "Wire", "CShims", "myriad", "Processes", "TestMachine"],
            exclude: ["browser.py", "validate.py"]),
    ],
    module("Wire", ["Tensors", "Telemetry"], guarded, tests: ["Extremes"]),
    [
        .target(
            name: "Extremes", dependencies: ["Wire", "Telemetry", "Tensors"], path: "Tests/Extremes",
            swiftSettings: strict)
    ],
    module("Transport", ["Tensors", "Telemetry", "Wire", "CZeroMQ"]),
    module("Datasets", ["Tensors", "Telemetry", "CCompression", yams], lean),
    [tests("Prepare", of: ["Datasets", "Tensors", "Telemetry", "Checkpoints"])],
    module("Kernels", ["Tensors", "COpenBLAS", "CShims"], fast),
    module("Models", ["Tensors", "Kernels", "Datasets"], lean, tests: ["Job"], exclude: ["Fixtures"]),
    [tests("Layers", of: ["Models", "Tensors", "Kernels"], exclude: ["Fixtures"])],
    module("Parameters", ["Tensors", "Kernels", "CShims"], lean),
    module(
        "Checkpoints", ["Tensors", "Telemetry", "Parameters", "Wire"],
        tests: ["Kernels", "Extremes"]),
    module("Server", ["Tensors", "Telemetry", "Parameters", "Wire", "Transport"], tests: ["Kernels", "Extremes"]),
    module(
        "Worker",
        ["Tensors", "Telemetry", "Wire", "Transport", "Kernels", "Datasets", "Models"], lean,
        tests: ["Server", "Parameters", "CAllocationCounter", "TestMachine", "Extremes"],
        // It counts what the code under test allocates, and allocates nothing itself.
        testing: strict),
    module("Scheduler", ["Telemetry", "Wire", "Transport"], tests: ["Tensors", "Extremes"]),
    module("Job", ["Tensors", "Telemetry", "Models", "Datasets", "Parameters", "Wire", yams]),
    module(
        "Cluster",
        [
            "Processes", "Tensors", "Telemetry", "Display", "Wire", "Transport", "Datasets", "Kernels", "Models",
            "Parameters", "Checkpoints", "Server", "Worker", "Scheduler", "Job",
        ], tests: ["myriad", "CZeroMQ", "TestMachine", "Extremes"]),
    [
        .executableTarget(
            name: "myriad",
            dependencies: [
                "Tensors", "Telemetry", "Display", "Wire", "Transport", "Datasets", "Kernels", "Models", "Parameters",
                "Checkpoints", "Server", "Worker", "Scheduler", "Job", "Cluster", "COpenBLAS", "CZeroMQ",
                "CCompression", "CShims", argumentParser, sockets, yams,
            ],
            exclude: ["Render/Resources"], swiftSettings: strict),
        tests("Simulation", of: ["myriad"]),
        tests(
            "Doctor",
            of: [
                "myriad", "Tensors", "Telemetry", "Wire", "Datasets", "Models", "Parameters", "Job", "Cluster",
                "Processes", "TestMachine",
            ]),
        tests("Deploy", of: ["myriad", "Telemetry", "Processes", "TestMachine", argumentParser, yams]),
    ],
]

let package = Package(
    name: "myriad",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
        .package(url: "https://github.com/swhitty/FlyingFox.git", exact: "0.27.1"),
    ],
    targets: modules.flatMap(\.self))
