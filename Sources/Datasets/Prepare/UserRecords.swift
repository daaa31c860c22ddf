/// What happened to a user at a time.
protocol UserRecord: BitwiseCopyable {
    /// The number of the user.
    var user: UInt32 { get }
    /// Seconds.
    var time: Int32 { get }
    /// What orders the records of one time.
    var rank: UInt16 { get }
}

/// Records by user, those of a user by time and rank; what ties keeps the order of the files.
struct UserRecords<Record: UserRecord> {
    private var records: [Record]
    private let starts: [Int]
    private let firstUser: Int

    /// Sorts the records of a range of users; others must not be among them.
    init(_ chunks: [[Record]], users: Range<Int>) {
        firstUser = users.lowerBound
        var starts = [Int](repeating: 0, count: users.count + 1)
        for chunk in chunks {
            for record in chunk { starts[Int(record.user) - users.lowerBound + 1] += 1 }
        }
        for user in 0..<users.count { starts[user + 1] += starts[user] }
        self.starts = starts
        var cursor = starts
        records = [Record](unsafeUninitializedCapacity: starts[users.count]) { sorted, count in
            for chunk in chunks {
                for record in chunk {
                    let user = Int(record.user) - users.lowerBound
                    sorted.initializeElement(at: cursor[user], to: record)
                    cursor[user] += 1
                }
            }
            count = sorted.count
        }
        for user in 0..<users.count { sort(starts[user]..<starts[user + 1]) }
    }

    /// The records of a user.
    subscript(user: Int) -> ArraySlice<Record> { records[starts[user - firstUser]..<starts[user - firstUser + 1]] }

    private mutating func sort(_ range: Range<Int>) {
        func key(_ place: Int) -> UInt64 {
            UInt64(UInt32(bitPattern: records[place].time) ^ 0x8000_0000) << 16 | UInt64(records[place].rank)
        }
        if range.dropFirst().allSatisfy({ key($0 - 1) <= key($0) }) { return }
        let order = range.map { (key: key($0), place: $0) }.sorted { $0 < $1 }
        let sorted = order.map { records[$0.place] }
        records.replaceSubrange(range, with: sorted)
    }
}

/// Records by ranges of users, in chunks.
///
/// Nothing is copied while it grows, and a range is given up when it is taken: what is held is little more than the
/// records.
final class UserBuckets<Record: UserRecord> {
    private let users: Int
    private let usersOfBucket: Int
    private let chunk: Int
    private var buckets: [[[Record]]]

    init(users: Int, buckets: Int = 256, chunk: Int = 4096) {
        self.users = users
        self.chunk = chunk
        usersOfBucket = max(1, (users + buckets - 1) / buckets)
        self.buckets = Array(repeating: [], count: (users + usersOfBucket - 1) / usersOfBucket)
    }

    /// How many ranges of users there are.
    var count: Int { buckets.count }

    /// The users of a range.
    func users(of bucket: Int) -> Range<Int> {
        bucket * usersOfBucket..<min(users, (bucket + 1) * usersOfBucket)
    }

    func add(_ record: Record) {
        let bucket = Int(record.user) / usersOfBucket
        let last = buckets[bucket].count - 1
        if last >= 0, buckets[bucket][last].count < chunk {
            buckets[bucket][last].append(record)
            return
        }
        var fresh: [Record] = []
        fresh.reserveCapacity(chunk)
        fresh.append(record)
        buckets[bucket].append(fresh)
    }

    /// The sorted records of a range of users, which are then no longer held here.
    func take(_ bucket: Int) -> UserRecords<Record> {
        let chunks = buckets[bucket]
        buckets[bucket] = []
        return UserRecords(chunks, users: users(of: bucket))
    }
}
