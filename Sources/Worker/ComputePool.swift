import Foundation
import Synchronization
import Telemetry

/// The compute threads of a worker: they sleep between steps and share the tasks of one.
///
/// Starting and finishing a round allocates nothing.
final class ComputePool: Sendable {
    private let work: StepCompute
    private let finished: @Sendable () -> Void
    private let gate = Gate()
    private let next = Atomic<Int>(0)
    private let running = Atomic<Int>(0)

    /// Guards the round number; threads wait here.
    private final class Gate: @unchecked Sendable {  // every field is read and written under the condition's lock
        let condition = NSCondition()
        var round = 0
        var tasks = 0
        var stopped = false
        var alive = 0
    }

    let threads: Int

    /// Starts the threads.
    ///
    /// - Parameter finished: called on the thread that ends a round's last task.
    init(threads: Int, work: StepCompute, finished: @escaping @Sendable () -> Void) {
        self.threads = threads
        self.work = work
        self.finished = finished
        gate.alive = threads
        for index in 0..<threads {
            Want.thread("compute-\(index)") { [self] in serve(index) }
        }
    }

    /// Begins a round of `tasks` tasks; the previous round must have finished.
    func start(tasks: Int) {
        running.store(threads, ordering: .relaxed)
        next.store(0, ordering: .relaxed)
        gate.condition.lock()
        gate.tasks = tasks
        gate.round += 1
        gate.condition.broadcast()
        gate.condition.unlock()
    }

    /// Ends the threads and waits until they are gone.
    func stop() {
        gate.condition.lock()
        gate.stopped = true
        gate.condition.broadcast()
        while gate.alive > 0 { gate.condition.wait() }
        gate.condition.unlock()
    }

    private func serve(_ index: Int) {
        var seen = 0
        while true {
            gate.condition.lock()
            while gate.round == seen, !gate.stopped { gate.condition.wait() }
            if gate.stopped {
                gate.alive -= 1
                gate.condition.broadcast()
                gate.condition.unlock()
                return
            }
            seen = gate.round
            let tasks = gate.tasks
            gate.condition.unlock()
            while true {
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard task < tasks else { break }
                work.run(task: task, thread: index)
            }
            if running.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { finished() }
        }
    }
}
