package import Foundation

/// What checkpoints and datasets need of the file system; every refusal of the system keeps its errno.
package enum Files {
    /// What a file's content is known by without reading it: a file that is written, replaced or copied gets another.
    package struct Stamp: Hashable, Sendable {
        /// Length in bytes.
        package let bytes: Int
        /// Number of the inode, and when its content and its entry were changed, in nanoseconds.
        package let inode, modified, changed: UInt64

        package init(bytes: Int, inode: UInt64, modified: UInt64, changed: UInt64) {
            self.bytes = bytes
            self.inode = inode
            self.modified = modified
            self.changed = changed
        }

        /// As the system knows it.
        package init(_ status: stat) {
            func nanoseconds(_ time: timespec) -> UInt64 {
                UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
            }
            bytes = Int(status.st_size)
            inode = UInt64(status.st_ino)
            modified = nanoseconds(status.st_mtim)
            changed = nanoseconds(status.st_ctim)
        }
    }

    /// Opens a regular file, for reading unless told; a pipe is refused rather than waited for.
    static func open(
        _ path: String, _ flags: Int32 = O_RDONLY, verb: String = "opened"
    ) throws(SafetensorsError) -> (descriptor: Int32, stamp: Stamp) {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else { throw .last(path, verb) }
        do {
            return (descriptor, try stamp(descriptor, path))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// A regular file to be read; nil where there is none.
    package static func handle(_ path: String) -> FileHandle? {
        (try? open(path)).map { FileHandle(fileDescriptor: $0.descriptor, closeOnDealloc: true) }
    }

    /// Opens a regular file for reading and writing, made if need be; a pipe is refused rather than waited for.
    package static func openToAdd(_ path: String) throws(SafetensorsError) -> Int32 {
        try open(path, O_RDWR | O_CREAT, verb: "written").descriptor
    }

    private static func stamp(_ descriptor: Int32, _ path: String) throws(SafetensorsError) -> Stamp {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .last(path, "examined") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file(path: path, "is not a regular file") }
        return Stamp(status)
    }

    /// What the system knows of a file; nil, and the reason in `errno`, when it tells nothing.
    package static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    /// The stamp of a file; nil when there is none.
    package static func stamp(_ path: String) throws(SafetensorsError) -> Stamp? {
        if let status = status(path) { return Stamp(status) }
        guard errno == ENOENT else { throw .last(path, "examined") }
        return nil
    }

    /// The whole of a small file.
    package static func read(_ path: String, limit: Int = 64 << 20) throws(SafetensorsError) -> Data {
        let (descriptor, stamp) = try open(path)
        defer { close(descriptor) }
        guard stamp.bytes <= limit else { throw .file(path: path, "has \(stamp.bytes) bytes, more than \(limit)") }
        var data = Data()
        try each(descriptor, path) { data.append(contentsOf: $0) }
        return data
    }

    /// The text of a small file that people or programs write, without the mark that some editors begin it with.
    package static func text(of path: String, limit: Int = 1 << 20) throws(SafetensorsError) -> String {
        guard let text = String(validating: try read(path, limit: limit), as: UTF8.self) else {
            throw .file(path: path, "is not UTF-8 text")
        }
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// Stamp and XXHash64 of a file, in hexadecimal; reads it, so that a failing disk is an error and no signal.
    ///
    /// - Parameter progress: told after every piece how many bytes were read.
    package static func checksum(
        _ path: String, progress: (Int) -> Void = { _ in }
    ) throws(SafetensorsError) -> (stamp: Stamp, checksum: String) {
        let (descriptor, before) = try open(path)
        defer { close(descriptor) }
        var hash = XXHash64()
        var end: UInt64?
        var count = 0
        try each(descriptor, path) { piece in
            count += piece.count
            if end == nil, piece.count == pieceSize { hash.update(piece) } else { end = hash.finish(piece) }
            progress(count)
        }
        guard count == before.bytes, try stamp(descriptor, path) == before else {
            throw .file(path: path, "was changed while it was read")
        }
        return (before, String(end ?? hash.finish(UnsafeRawBufferPointer(start: nil, count: 0)), radix: 16))
    }

    private static let pieceSize = 4 << 20

    /// Reads to the end in full pieces; the last may be shorter.
    private static func each(
        _ descriptor: Int32, _ path: String, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(SafetensorsError) {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 64)
        defer { piece.deallocate() }
        while true {
            var held = 0
            while held < pieceSize {
                let count = Glibc.read(descriptor, piece.baseAddress! + held, pieceSize - held)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw .last(path, "read") }
                if count == 0 { break }
                held += count
            }
            if held > 0 { body(UnsafeRawBufferPointer(rebasing: piece[..<held])) }
            if held < pieceSize { return }
        }
    }

    /// The names in a directory; none when there is no such directory.
    package static func names(in directory: String) throws(SafetensorsError) -> [String] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw .last(directory, "read")
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .last(directory, "read") }
        return names.sorted()
    }

    // MARK: Writing

    /// Makes a file's bytes, or a directory's names, survive a power cut.
    package static func sync(_ path: String) throws(SafetensorsError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last(path, "made durable") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last(path, "made durable") }
    }

    /// Makes a directory and those above it.
    package static func makeDirectory(_ path: String) throws(SafetensorsError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .file(path: path, "cannot be made: \(error.localizedDescription)")
        }
    }

    /// Writes a small file through a temporary one: it is there wholly or as it was before.
    ///
    /// - Parameters:
    ///   - isDurable: it survives a power cut, too.
    ///   - mode: what all may do with it; nil for what new files get here.
    ///   - owner: whose it stays, where this process may give it away; nil for its own.
    ///   - partial: the temporary one; where others keep files, none that they may have.
    package static func replace(
        _ path: String, with data: Data, isDurable: Bool = true, mode: mode_t? = nil,
        owner: (user: uid_t, group: gid_t)? = nil, by partial: String? = nil
    ) throws(SafetensorsError) {
        let partial = partial ?? path + unfinished
        // One that a killed process left may have another mode, or be no file.
        unlink(partial)
        let descriptor = Glibc.open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode.map { $0 & 0o600 } ?? 0o644)
        guard descriptor >= 0 else { throw .last(path, "written") }
        var code = write(data, to: descriptor)
        if code == 0, let owner { _ = fchown(descriptor, owner.user, owner.group) }
        if code == 0, let mode, fchmod(descriptor, mode) != 0 { code = errno }
        if code == 0, isDurable, fsync(descriptor) != 0 { code = errno }
        close(descriptor)
        guard code == 0 else {
            unlink(partial)
            throw .system(path: path, verb: "written", code: code)
        }
        do { try move(partial, to: path) } catch {
            unlink(partial)
            throw error
        }
    }

    /// Writes what a command was asked to make: a file is replaced whole, into a pipe or a device it is written.
    ///
    /// - Parameter isSecret: only its user may read it; otherwise a file that is there keeps who may.
    package static func write(_ text: String, to path: String, isSecret: Bool = false) throws(SafetensorsError) {
        let data = Data(text.utf8)
        let status = status(path)
        let kind = status.map { $0.st_mode & S_IFMT }
        guard kind != S_IFDIR else { throw .system(path: path, verb: "written", code: EISDIR) }
        var own = stat()
        let isLink = lstat(path, &own) == 0 && own.st_mode & S_IFMT == S_IFLNK
        // A link stays one: what it names is replaced.
        let target = isLink ? status.flatMap { Files.target(of: path, $0) } : path
        guard let target, kind == nil || kind == S_IFREG else {
            // A pipe, a device, a link to what is not there yet, or to what this process has open (/dev/stdout).
            let open = status.flatMap(output).map { fcntl($0, F_DUPFD_CLOEXEC, 0) }
            try pour(data, into: open ?? -1, path, isSecret ? 0o600 : 0o644)
            return
        }
        guard status == nil || access(target, W_OK) == 0 else { throw .last(path, "written") }
        let place = target.lastIndex(of: "/").map { target[...$0] } ?? ""
        let partial = "\(place).\(getpid())-\(UInt32.random(in: 0 ... .max))\(unfinished)"
        let mode = status.map { $0.st_mode & 0o7777 }
        let owner = status.map { (user: $0.st_uid, group: $0.st_gid) }
        try replace(target, with: data, mode: isSecret ? 0o600 : mode, owner: owner, by: partial)
    }

    /// Writes into what is open, or else into what a path opens.
    private static func pour(
        _ data: Data, into open: Int32, _ path: String, _ mode: mode_t
    ) throws(SafetensorsError) {
        let descriptor = open >= 0 ? open : Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .last(path, "written") }
        defer { close(descriptor) }
        let code = write(data, to: descriptor)
        if code != 0 { throw .system(path: path, verb: "written", code: code) }
    }

    /// Where a link to a file leads; nil where that is no name of it, as with files that a process has open.
    private static func target(of path: String, _ status: stat) -> String? {
        guard output(status) == nil, let target = realpath(path, nil) else { return nil }
        defer { free(target) }
        let name = String(cString: target)
        return Files.status(name).map { isSame($0, status) } == true ? name : nil
    }

    /// The descriptor of this process's output or errors if that is where a file goes.
    private static func output(_ status: stat) -> Int32? {
        [STDOUT_FILENO, STDERR_FILENO].first { descriptor in
            var found = stat()
            return fstat(descriptor, &found) == 0 && isSame(found, status)
        }
    }

    private static func isSame(_ one: stat, _ other: stat) -> Bool {
        (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
    }

    /// Writes all bytes; returns the system's error, or 0.
    private static func write(_ data: Data, to descriptor: Int32) -> Int32 {
        data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return errno }
                rest = rest.dropFirst(count)
            }
            return 0
        }
    }

    /// Renames, over whatever file is there.
    package static func move(_ source: String, to target: String) throws(SafetensorsError) {
        guard rename(source, target) == 0 else { throw .last(target, "written") }
    }

    /// The ending of what is being written or removed: nobody reads it, and the next start removes it.
    package static let unfinished = ".partial"

    /// Takes a directory away: first its name, so that nobody ever finds it half removed.
    package static func removeDirectory(_ path: String) throws(SafetensorsError) {
        let gone = path + ".old" + unfinished
        try? FileManager.default.removeItem(atPath: gone)
        guard rename(path, gone) == 0 else {
            if errno == ENOENT { return }
            throw .last(path, "removed")
        }
        try? FileManager.default.removeItem(atPath: gone)
    }
}
