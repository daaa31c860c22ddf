import Extremes
import Tensors
import Testing
import Wire

@testable import Worker

/// A worker's side of pull and push amid answers that no shard would give.
@Suite struct HostileAnswersTests {
    private static func header(_ role: Role) -> Header {
        Header(.pull, role: role, rank: 0, incarnation: 1, job: 4, epoch: 1)
    }

    @Test("answers damaged by chance write nowhere but in their place, and end nothing but a refused request")
    func mutations() throws {
        let map = try PartitionMap(partitions: 16, shards: 2)
        let (widths, denseCount) = ([3, 2], 48)
        let plan = StepPlan(tables: 2, map: map, capacity: 8)
        (plan.step, plan.microBatchCount, plan.owned) = (1, 8, 0..<8)
        plan.unite { microBatch, table in
            let ids = Column<UInt64>()
            for id in 0..<5 { ids.append(UInt64(2 + microBatch * 3 + id * (table + 1))) }
            return ids
        }
        let values = widths.enumerated().map { index, width in
            let column = Column<Float>()
            column.resize(plan.tables[index].ids.count * width)
            return column
        }
        let dense = DenseVector(count: denseCount)
        let client = ParameterClient(
            identity: Self.header(.worker), map: map, widths: widths, denseCount: denseCount, timeout: .seconds(1))
        let now = ContinuousClock.now
        var mutator = Mutator(seed: 3)
        var pulls: [ParameterClient.Outgoing] = []
        for number in 0..<Mutator.count(normally: 2000) {
            if number % 20 == 0 { pulls = client.pull(plan, evaluation: false, at: now) }
            let asked = pulls[mutator.below(2)]
            let request = asked.message.header
            let rows = TableRows.laidOut(
                counts: plan.tables.map { $0.rows(of: asked.shard).count }, widths: widths)
            let answer: Message
            switch mutator.below(3) {
            case 0:
                answer = .values(
                    to: request, from: Self.header(.server),
                    values: Payload(copying: [Float](repeating: 1, count: rows.floatCount)),
                    dense: Payload(
                        copying: [Float](repeating: 1, count: map.denseRange(ofShard: asked.shard, count: 48).count)))
            case 1: answer = .refused(to: request, from: Self.header(.server), Refusal(.sendKeys, "keys"))
            default: answer = .pushed(to: request, from: Self.header(.server))
            }
            do {
                _ = try client.receive(
                    mutator.below(20) == 0 ? answer : mutator.damage(answer), from: asked.shard, plan: plan,
                    values: values, dense: dense, at: now)
            } catch let error as ParameterClient.Refused {
                #expect(Refusal.Reason.allCases.contains(error.refusal.reason))
            }
        }
        #expect(client.waitsFor != "")
    }
}
