import Foundation
import Testing

@testable import Parameters

@Test("a constant schedule returns the rate itself")
func constantRate() {
    #expect(ScheduleOptions().rate(0.3, step: 1) == 0.3)
    #expect(ScheduleOptions().rate(0.3, step: 1_000_000) == 0.3)
}

@Test("a step schedule multiplies by the factor after every period")
func stepRate() {
    let schedule = ScheduleOptions(kind: .step, factor: 0.5, every: 10)
    #expect(schedule.rate(1, step: 1) == 1)
    #expect(schedule.rate(1, step: 10) == 1)
    #expect(schedule.rate(1, step: 11) == 0.5)
    #expect(schedule.rate(1, step: 31) == 0.125)
}

@Test("an exponential schedule is factor^((t−1)/every)", arguments: [1, 2, 7, 100, 101, 12_345])
func exponentialRate(step: Int) {
    let schedule = ScheduleOptions(kind: .exponential, factor: 0.9, every: 100)
    let expected = pow(0.9, Double(step - 1) / 100)
    #expect(abs(Double(schedule.rate(1, step: step)) / expected - 1) < 1e-6)
}

@Test("a warm-up rises linearly to the rate")
func warmup() {
    let schedule = ScheduleOptions(kind: .constant, warmup: 4)
    #expect((1...5).map { schedule.rate(8, step: $0) } == [2, 4, 6, 8, 8])
}

@Test("integer powers agree with repeated products")
func powers() {
    #expect(power(0.5, 10) == 0x1p-10)
    #expect(power(3, 0) == 1)
    #expect(abs(power(0.999, 1_000) - 0.36769542477) < 1e-10)
}
