.PHONY: help setup demo build install deb bench test format lint

help: ## what each word does
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'

setup: ## installs the apt packages that are missing
	@bash cluster/setup.sh

demo: ## trains Base, DIN, DIEN, DSIN and BST on real data with a local cluster, and prints their test AUC
	@bash cluster/demo.sh

build: setup ## release build
	swift build -c release

PREFIX ?= /usr/local
install: build ## installs the program, Swift's runtime, completions and a man page below PREFIX (/usr/local)
	@bash cluster/install.sh "$(PREFIX)"

deb: ## a Debian package in .build-deb for machines without a toolchain (MYRIAD_MARCH: x86-64-v3 unless set)
	@bash cluster/deb.sh

bench: build ## figures of training, a shard and a cluster on this machine (unset OPENBLAS_CORETYPE for its own kernels)
	.build/release/myriad bench

# One set of kernels everywhere: the tests compare bits and count allocations.
test: export OPENBLAS_CORETYPE ?= Haswell
# What starts clusters, engines, networks and browsers, or computes for a minute, is tested once, with the program that users run.
once := ^(ClusterTests|DeployTests|DoctorTests|ProcessesTests)\.|^DashboardTests\.(Browser|End|Live|Stranger)Tests
once := $(once)|^ModelsTests\.(FiniteDifferenceTests|TrapTests/overfit)|^LayersTests\.SequenceGradientTests
test: setup ## every test in release, and all that are quick and start no cluster in debug too (every check on)
	@mkdir -p .build && rm -f .build/skipped.txt
	@bash Tests/Scripts/watched.sh 3600 swift test --skip '$(once)'
	@bash Tests/Scripts/watched.sh 3600 swift test -c release -Xswiftc -enable-testing
	@bash Tests/Scripts/skipped.sh

format: ## formats the sources in place
	swift format --in-place --recursive Package.swift Sources Tests

lint: ## what CI checks of the format
	swift format lint --strict --recursive Package.swift Sources Tests
