import Glibc

/// What the system has to give a process so that it can go on: threads and file descriptors.
///
/// Without one a process ends by name: whoever waited for it would wait for ever, and libzmq would abort.
package enum Want {
    /// Ends the process.
    package static func end(_ what: String, _ code: Int32, _ remedy: String) -> Never {
        StandardError.line("error: \(what) (\(String(cString: strerror(code)))): \(remedy)")
        fflush(nil)
        _exit(ExitCodes.failed.rawValue)
    }

    // MARK: Threads

    private static let stack = 8 << 20

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread of this name, of which the system takes 15 letters.
    package static func thread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let work = Work {
            Want.name(name)
            body()
        }
        guard let thread = create(work) else { return }
        pthread_detach(thread)
    }

    /// Ends the process unless so many threads more can live at once: a library that starts them aborts where it cannot.
    package static func ensureThreads(_ count: Int) {
        let gate = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        defer { gate.deallocate() }
        sem_init(gate, 0, 0)
        nonisolated(unsafe) let closed = gate
        let threads = (0..<count).compactMap { _ in create(Work { while sem_wait(closed) != 0, errno == EINTR {} }) }
        for _ in threads { sem_post(gate) }
        for thread in threads { pthread_join(thread, nil) }
        sem_destroy(gate)
    }

    /// Names the calling thread, for those who look at the process.
    private static func name(_ name: String) {
        let file = Glibc.open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, name, min(name.utf8.count, 15))
        close(file)
    }

    private static func create(_ work: Work) -> pthread_t? {
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        pthread_attr_init(attributes)
        defer {
            pthread_attr_destroy(attributes)
            attributes.deallocate()
        }
        pthread_attr_setstacksize(attributes, stack)
        var thread: pthread_t = 0
        let box = Unmanaged.passRetained(work)
        let code = pthread_create(
            &thread, attributes,
            { raw in
                if let raw { Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            end(
                "no thread can be started", code,
                "raise `ulimit -u`, or the limit of processes (pids) of the container or user")
        }
        return thread
    }

    // MARK: Files

    /// What to do where files are few.
    package static let files = "raise `ulimit -n`"

    /// Ends the process for want of a file descriptor.
    package static func endForFile() -> Never { end("no file descriptor is left", errno, files) }

    /// Whether so many files more can be open at once.
    package static func hasFiles(_ count: Int) -> Bool {
        var open: [Int32] = []
        defer { for descriptor in open { close(descriptor) } }
        while open.count < count {
            let descriptor = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return false }
            open.append(descriptor)
        }
        return true
    }

    /// Ends the process unless so many files more can be open at once.
    package static func ensureFiles(_ count: Int) { if !hasFiles(count) { endForFile() } }

    /// Opens nothing in the place of standard input, output and errors that are closed: what is opened next would take it.
    package static func openStandardFiles() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = Glibc.open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
        }
    }
}
