import Testing

@testable import Tensors

@Suite struct ReductionTreeTests {
    @Test("the subtrees of all workers tile the micro-batches", arguments: 1...17, 1...6)
    func tiles(count: Int, workers: Int) {
        var covered: [Int] = []
        for worker in 0..<workers {
            for node in Subtree.maximal(in: Subtree.block(worker, of: workers, over: count), of: count) {
                covered += node.covers(of: count)
            }
        }
        #expect(covered == Array(0..<count))
    }

    @Test("one worker pushes the root alone, a power of two one node each")
    func roots() {
        for count in 1...17 {
            #expect(Subtree.maximal(in: 0..<count, of: count) == [Subtree.root(of: count)])
        }
        for worker in 0..<4 {
            #expect(Subtree.maximal(in: Subtree.block(worker, of: 4, over: 16), of: 16).count == 1)
        }
    }

    @Test("no two pushed nodes of one worker are siblings")
    func maximal() {
        for count in 1...17 {
            for first in 0..<count {
                for end in first + 1...count {
                    let nodes = Set(Subtree.maximal(in: first..<end, of: count))
                    for node in nodes where !node.sibling.covers(of: count).isEmpty {
                        #expect(!nodes.contains(node.sibling))
                    }
                }
            }
        }
    }
}
