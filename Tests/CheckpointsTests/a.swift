@testable import Checkpoints
