import Testing

@testable import myriad

@Suite struct ContinuingCommandTests {
    @Test(
        "the command that goes on with a run keeps what the job is, and nothing of how it began",
        arguments: [
            ["train", "job.yaml", "train.epochs=2"],
            ["train", "job.yaml", "--run", "old", "train.epochs=2", "--continue"],
            ["train", "job.yaml", "--resume", "other", "--state", "best", "--reset-optimizer", "train.epochs=2"],
            ["train", "--resume=other", "--state=best", "--run=old", "job.yaml", "--restart-steps", "train.epochs=2"],
        ])
    func line(arguments: [String]) {
        #expect(
            ContinuingCommand.line(run: "runs/a b", arguments: ["/bin/myriad"] + arguments)
                == "myriad train job.yaml train.epochs=2 --run 'runs/a b' --continue")
    }
}
