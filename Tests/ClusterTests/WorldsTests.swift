#if !DEBUG
    import Foundation
    import Testing

    /// What each model was invented for; training is too slow for debug builds.
    @Suite(.serialized) struct WorldsTests {
        /// Test AUC of a model on a world, by the config that comes with the program.
        private func auc(_ program: Program, _ model: String, _ more: String...) throws -> Double {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let config = root.appending(path: "configs/worlds/\(model).yaml").path
            let result = try program.run(
                ["train", config, "data.directory=world", "--quiet", "--run", model] + more)
            let line = try #require(
                result.output.split(separator: "\n").first { $0.hasPrefix("test: AUC ") }, "\(result.errors)")
            return try #require(Double(line.dropFirst(10).prefix(6)))
        }

        @Test("trap 46: where the order of two behaviors decides, DIEN and DSIN see it and DIN cannot")
        func order() throws {
            let program = try Program()
            try program.run("prepare", "synthetic", "--world", "order", "--output", "world", "--users", "1500")
            #expect(try auc(program, "dien") > 0.95)
            #expect(try auc(program, "dsin") > 0.95)
            #expect(try abs(auc(program, "din", "train.epochs=3") - 0.5) < 0.03)
        }

        @Test("where interests drift, DIEN is ahead of DIN; where sessions decide, DSIN is")
        func driftAndSessions() throws {
            for (world, model) in [("drift", "dien"), ("sessions", "dsin")] {
                let program = try Program()
                try program.run("prepare", "synthetic", "--world", world, "--output", "world", "--users", "800")
                let (ours, din) = (
                    try auc(program, model, "train.epochs=5"), try auc(program, "din", "train.epochs=5")
                )
                #expect(ours > din + 0.01, "\(world): \(ours) against \(din)")
            }
        }
    }
#endif
