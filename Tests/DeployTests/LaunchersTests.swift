import Testing

/// The ways to start a cluster, each with the real engine where this machine can run it.
@Suite(.serialized)
struct LaunchersTests {
}
