@testable import Prepare
