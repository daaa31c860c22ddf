package import Wire

/// As what a node joins a job, and for whom it waits how long.
package struct NodeOptions: Sendable {
    /// The scheduler's endpoint.
    package var scheduler: String
    /// Who it is; a server fills in its endpoints.
    package var hello: Hello
    /// By what the scheduler is known, where both encrypt.
    package var schedulerKey: PublicKey?
    /// How long a scheduler is waited for that was never heard of.
    package var wait = Duration.seconds(12)
    /// How long one that was heard of may say nothing, until its welcome says otherwise.
    package var silence = Duration.seconds(12)
    /// Told when the process is to end.
    package var departure = Departure()
    /// Called with the reason when the scheduler ends the job for this node.
    package var told: @Sendable (String) -> Void = { _ in }

    /// A node that waits as long as the default settings say.
    package init(scheduler: String, hello: Hello) {
        self.scheduler = scheduler
        self.hello = hello
    }
}
