@testable import Cluster
