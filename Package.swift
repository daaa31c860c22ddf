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

/// Bytes from a file or a socket: every use of unsafe memory is spelled out.
let guarded = strict + [.strictMemorySafety()]

/// A module and its tests.
func module(
    _ name: String, _ imports: [Target.Dependency] = [], _ settings: [SwiftSetting] = strict,
    tests: [Target.Dependency] = []
) -> [Target] {
    [
        .target(name: name, dependencies: imports, swiftSettings: settings),
        .testTarget(
            name: name + "Tests", dependencies: [.byName(name: name)] + imports + tests, swiftSettings: strict),
    ]
}

let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// In dependency order: a module imports only what stands above it.
let modules: [[Target]] = [
    [.systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])])],
    [.systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])])],
    [.systemLibrary(name: "CCompression", providers: [.apt(["zlib1g-dev", "libzstd-dev"])])],
    [.target(name: "CPrefetch")],
    module("Hashing"),
    module("Tensors"),
    module("Evaluation"),
    module("Wire", ["Hashing"], guarded),
    module("Transport", ["CZeroMQ"], guarded),
    module("Safetensors"),
    module("Kernels", ["Tensors", "COpenBLAS"], fast),
    module("Checkpoints", ["Safetensors", "Hashing"], guarded),
    module("Datasets", ["Tensors", "Safetensors", "Hashing", "CCompression", yams], guarded),
    module("Layers", ["Tensors", "Kernels"]),
    module("Parameters", ["Tensors", "Kernels", "Hashing", "CPrefetch"]),
    module("Server", ["Tensors", "Parameters", "Wire", "Hashing"], tests: ["Kernels"]),
    module("Scheduler", ["Evaluation", "Wire"]),
    module("Models", ["Tensors", "Kernels", "Layers", "Datasets"], tests: ["Safetensors"]),
]

/// While the modules are written apart: build only those named.
let only = Context.environment["MYRIAD_ONLY"].map { Set($0.split(separator: ",").map(String.init)) }
let targets = modules.flatMap(\.self).filter { target in
    guard let only else { return true }
    return only.contains(target.name) || only.contains(String(target.name.replacing("Tests", with: "")))
        || target.type == .system || target.name == "CPrefetch"
}

let package = Package(
    name: "myriad",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: targets)
