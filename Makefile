.PHONY: help setup demo build bench test format lint

help: ## what each word does
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'

setup: ## installs the apt packages that are missing
	@bash cluster/setup.sh

demo: ## trains Base, DIN, DIEN and DSIN on real data with a local cluster, and prints their test AUC
	@bash cluster/demo.sh

build: setup ## release build
	swift build -c release

bench: build ## figures of training, a shard and a cluster on this machine (unset OPENBLAS_CORETYPE for its own kernels)
	.build/release/myriad bench

# One set of kernels everywhere: the tests compare bits and count allocations.
test: export OPENBLAS_CORETYPE ?= Haswell
# How processes are started does not depend on how they were built: engines and networks are tested once.
test: setup ## every test in debug (checks on), all but deployment's in release too (kernels without checks)
	@mkdir -p .build && rm -f .build/skipped.txt
	swift test
	swift test -c release -Xswiftc -enable-testing --skip DeployTests
	@bash cluster/skipped.sh

format: ## formats the sources in place
	swift format --in-place --recursive Package.swift Sources Tests

lint: ## what CI checks of the format
	swift format lint --strict --recursive Package.swift Sources Tests
