import Transport

/// Does for the scheduler's thread whatever takes time, so that a slow disk or a large split stops no heartbeat: files of
/// checkpoints, metrics, records.
///
/// One thread does one thing after the other, in the order in which it was asked.
final class Clerk: Sendable {
    /// Something to do; nil to leave.
    private let errands = Inbox<(@Sendable () -> Void)?>()
    private let thread: RoleThread

    init() {
        thread = RoleThread("clerk") { [errands] in
            var poller = Poller([], errands)
            while true {
                poller.wait(.seconds(1))
                for errand in errands.take() {
                    guard let errand else { return }
                    errand()
                }
            }
        }
    }

    /// Asks for something.
    func ask(_ errand: @escaping @Sendable () -> Void) { errands.post(errand) }

    /// Waits until everything that was asked for is done.
    func finish() {
        errands.post(nil)
        try? thread.join()
    }
}
