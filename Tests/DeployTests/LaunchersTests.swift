import Testing

/// The ways to start a cluster, each with the real engine where this machine can run it.
@Suite(.serialized)
struct LaunchersTests {
    @Test("launch --hosts trains over two ssh servers to the same bits, and leaves nothing behind however it ends")
    func ssh() throws { try Script.check("ssh-test.sh", minutes: 30) }

    @Test(
        "slurm.sbatch trains under a real Slurm, goes on by itself after its time limit, and leaves nothing when canceled"
    )
    func slurm() throws { try Script.check("slurm-test.sh") }

    @Test("kubernetes.yaml and what `render kubernetes` writes are what Kubernetes' schemas allow")
    func kubernetes() throws { try Script.check("kubernetes-test.sh") }

    @Test("the Debian package trains in a minimal Debian without Swift, completes words, and leaves no trace")
    func package() throws { try Script.check("deb-test.sh", minutes: 30) }

    @Test("compose.yaml trains in real containers to the same bits")
    func compose() throws { try Script.check("compose-test.sh") }
}
