import Foundation
import Testing

@testable import Parameters

@Test("options survive encoding")
func optionsRoundTrip() throws {
    var options = DenseOptions(optimizer: OptimizerOptions(kind: .ftrl, rate: 0.3), l2: 0.25, mode: .coupled)
    options.optimizer.l1 = 0.5
    options.schedule = ScheduleOptions(kind: .exponential, factor: 0.5, every: 7, warmup: 3)
    #expect(try JSONDecoder().decode(DenseOptions.self, from: JSONEncoder().encode(options)) == options)
}

@Test("settings that make no sense are refused with their key, value and range")
func invalidOptions() throws {
    #expect(throws: ParametersError.option("optimizer.rate", found: "-1.0", expected: "a number above 0")) {
        try makeTable(optimizer: OptimizerOptions(kind: .sgd, rate: -1))
    }
    #expect(throws: ParametersError.self) { try makeTable(width: 0) }
    #expect(throws: ParametersError.self) { try makeTable(limit: 0) }
    #expect(throws: ParametersError.self) { try makeTable(regularization: .init(lambda: .nan)) }
    #expect(throws: ParametersError.self) { try makeTable(schedule: .init(kind: .step, factor: 1.5)) }
    #expect(throws: ParametersError.self) {
        try makeTable(optimizer: .init(kind: .ftrl), regularization: .init(mode: .decoupled))
    }
    #expect(throws: ParametersError.self) {
        try DenseOptions(optimizer: OptimizerOptions(kind: .adagradRowwise)).validate()
    }
    let error = ParametersError.option("optimizer.rate", found: "-1.0", expected: "a number above 0")
    #expect(error.description.contains("optimizer.rate is -1.0, but must be a number above 0"))
}

@Test("auto is coupled for SGD, momentum and FTRL, decoupled for Adagrad and Adam")
func autoMode() {
    let options = RegularizationOptions()
    let coupled = OptimizerOptions.Kind.allCases.filter { options.isCoupled(with: $0) }
    #expect(coupled == [.sgd, .momentum, .ftrl])
}
