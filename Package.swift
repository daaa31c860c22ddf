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
    module("Safetensors", ["Tensors"]),
    module("Evaluation"),
    module("Telemetry", tests: ["Processes", "TestMachine"]),
    module("Processes", ["Telemetry", "CShims"]),
    module("Display", ["Telemetry"]),
    module("Terminal", ["Telemetry", "Display", "Safetensors"]),
    module(
        "Records", ["Telemetry", "Display", "Safetensors"], tests: ["myriad", "Processes", "TestMachine"],
        exclude: ["Python"]),
    [
        .target(
            name: "Dashboard", dependencies: ["Telemetry", "Display", sockets],
            resources: [
                .embedInCode("Resources/page.css"), .embedInCode("Resources/page.js"),
                .embedInCode("Resources/status.schema.json"),
            ], swiftSettings: strict),
        .testTarget(
            name: "DashboardTests",
            dependencies: [
                "Dashboard", "Telemetry", "Display", "Terminal", "Records", "Cluster", "Wire", "myriad", "Processes",
                "TestMachine",
            ],
            exclude: ["browser.py", "validate.py"],
            swiftSettings: tested),
    ],
    module("Wire", ["Tensors", "Telemetry"], guarded, tests: ["Extremes"]),
    [
        .target(
            name: "Extremes", dependencies: ["Wire", "Telemetry", "Tensors"], path: "Tests/Extremes",
            swiftSettings: strict)
    ],
    module("Transport", ["Telemetry", "Wire", "Safetensors", "CZeroMQ"]),
    module("Datasets", ["Tensors", "Safetensors", yams], lean),
    module("Prepare", ["Tensors", "Evaluation", "Datasets", "CCompression"], tests: ["Safetensors", "Checkpoints"]),
    module("Kernels", ["Tensors", "COpenBLAS", "CShims"], fast),
    module("Layers", ["Tensors", "Kernels"], lean, tests: ["Safetensors"], exclude: ["Fixtures"]),
    module(
        "Models", ["Tensors", "Kernels", "Layers", "Datasets"], lean, tests: ["Safetensors", "Job"],
        exclude: ["Fixtures"]),
    module("Parameters", ["Tensors", "Kernels", "CShims"], lean),
    module(
        "Checkpoints", ["Tensors", "Evaluation", "Safetensors", "Parameters", "Wire"],
        tests: ["Kernels", "Extremes"]),
    module("Server", ["Tensors", "Telemetry", "Parameters", "Wire", "Transport"], tests: ["Kernels", "Extremes"]),
    module(
        "Worker",
        ["Tensors", "Telemetry", "Wire", "Transport", "Evaluation", "Kernels", "Datasets", "Models"], lean,
        tests: ["Server", "Parameters", "CAllocationCounter", "TestMachine", "Extremes"],
        // It counts what the code under test allocates, and allocates nothing itself.
        testing: strict),
    module("Scheduler", ["Evaluation", "Telemetry", "Wire", "Transport"], tests: ["Extremes"]),
    module(
        "Job", ["Tensors", "Layers", "Models", "Datasets", "Parameters", "Wire", yams],
        tests: ["Safetensors"]),
    module(
        "Cluster",
        [
            "Processes", "Tensors", "Safetensors", "Evaluation", "Telemetry", "Display", "Terminal", "Records", "Wire",
            "Transport",
            "Datasets", "Kernels", "Models", "Parameters", "Checkpoints", "Server", "Worker", "Scheduler", "Job",
        ], tests: ["myriad", "CZeroMQ", "TestMachine", "Extremes"]),
    [
        .executableTarget(
            name: "myriad",
            dependencies: [
                "Tensors", "Safetensors", "Evaluation", "Telemetry", "Display", "Terminal", "Records", "Dashboard",
                "Wire", "Transport", "Datasets", "Prepare", "Kernels", "Models", "Parameters", "Checkpoints", "Server",
                "Worker", "Scheduler", "Job", "Cluster", "COpenBLAS", "CZeroMQ", "CCompression",
                argumentParser, yams,
            ],
            swiftSettings: strict),
        .testTarget(name: "SimulationTests", dependencies: ["myriad"], swiftSettings: tested),
        .testTarget(
            name: "DoctorTests",
            dependencies: [
                "myriad", "Tensors", "Telemetry", "Wire", "Datasets", "Models", "Parameters", "Job", "Cluster",
                "Processes", "TestMachine",
            ], swiftSettings: tested),
        .testTarget(
            name: "DeployTests",
            dependencies: ["myriad", "Telemetry", "Processes", "TestMachine", argumentParser, yams],
            swiftSettings: tested),
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
