import Display
import Testing

@Suite struct QuantityTests {
    @Test("counts are whole below 100,000 and have three digits and a unit above")
    func counts() {
        #expect(Quantity.count(0) == "0")
        #expect(Quantity.count(999) == "999")
        #expect(Quantity.count(18_412) == "18,412")
        #expect(Quantity.count(99_999) == "99,999")
        #expect(Quantity.count(100_000) == "100 k")
        #expect(Quantity.count(999_499) == "999 k")
        #expect(Quantity.count(999_500) == "1.00 M")
        #expect(Quantity.count(1_240_312) == "1.24 M")
        #expect(Quantity.count(12_449_000_000) == "12.4 G")
        #expect(Quantity.count(-5) == "-5")
        #expect(Quantity.exact(1_240_312) == "1,240,312")
        #expect(Quantity.exact(-1_000) == "-1,000")
        #expect(Quantity.exact(.min) == "-9,223,372,036,854,775,808")
    }

    @Test("bytes, rates, shares and times carry units and three digits")
    func units() {
        #expect(Quantity.bytes(512) == "512 B")
        #expect(Quantity.bytes(1000) == "1.00 kB")
        #expect(Quantity.bytes(231_000_000) == "231 MB")
        #expect(Quantity.bytes(.max) == "9223 PB")
        #expect(Quantity.rate(0) == "0")
        #expect(Quantity.rate(0.5234) == "0.52")
        #expect(Quantity.rate(46.07) == "46.1")
        #expect(Quantity.rate(99.96) == "100")
        #expect(Quantity.rate(18_412.4) == "18,412")
        #expect(Quantity.rate(1.24e6) == "1.24 M")
        #expect(Quantity.rate(.nan) == "-")
        #expect(Quantity.megabytes(8_000_000) == "8.00")
        #expect(Quantity.megabytes(1) == "<0.01")
        #expect(Quantity.megabytes(0) == "0")
        #expect(Quantity.percent(0.71) == "71 %")
        #expect(Quantity.percent(0.087) == "8.7 %")
        #expect(Quantity.percent(1) == "100 %")
        #expect(Quantity.percent(0.0001) == "<0.1 %")
        #expect(Quantity.milliseconds(0.00021) == "0.21")
        #expect(Quantity.milliseconds(0.000004) == "0.004")
        #expect(Quantity.milliseconds(0.0124) == "12.4")
        #expect(Quantity.milliseconds(1.204) == "1,204")
        #expect(Quantity.milliseconds(.infinity) == "-")
        #expect(Quantity.metric(nil) == "-")
        #expect(Quantity.metric(0.41234) == "0.4123")
        #expect(Quantity.metric(.nan) == "nan")
    }

    @Test("durations name their two largest units, ages one")
    func durations() {
        #expect(Quantity.duration(0.42) == "0.4 s")
        #expect(Quantity.duration(0.042) == "42 ms")
        #expect(Quantity.age(0.9) == "0 s")
        #expect(Quantity.age(59.9) == "59 s")
        #expect(Quantity.age(.nan) == "-")
        #expect(Quantity.duration(12) == "12 s")
        #expect(Quantity.duration(59.7) == "1 min")
        #expect(Quantity.duration(130) == "2 min 10 s")
        #expect(Quantity.duration(3 * 3600 + 300) == "3 h 5 min")
        #expect(Quantity.duration(2 * 86400 + 3 * 3600) == "2 d 3 h")
        #expect(Quantity.duration(-1) == "0 s")
        #expect(Quantity.duration(.infinity) == "-")
        #expect(Quantity.age(130) == "2 min")
        #expect(Quantity.date(.nan) == "-")
        // In UTC, wherever this runs.
        #expect(Quantity.clock(1_790_000_000) == "14:13:20")
        #expect(Quantity.date(1_790_000_000) == "2026-09-21 14:13:20 UTC")
        #expect(Quantity.clock(0) == "-")
    }

    @Test("an axis has whole numbers where its values are whole")
    func numbers() {
        #expect(Quantity.number(1500) == "1,500")
        #expect(Quantity.number(0.25) == "0.25")
        #expect(Quantity.number(1e6) == "1.00 M")
        #expect(Quantity.signed(25) == "+25" && Quantity.signed(-3) == "-3")
        #expect(Quantity.bytes(1011.4) == "1.01 kB" && Quantity.bytes(.nan) == "-")
    }
}
