.PHONY: help setup demo build install deb bench test test-engines quick generated format lint

help: ## what each word does
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/'

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
test test-engines quick: export OPENBLAS_CORETYPE ?= Haswell
# What drives Slurm, podman, sshd, namespaces, debootstrap, Chromium, Prometheus or tmux.
engines := ^DeployTests\.(Launchers|Network)Tests|^DashboardTests\.BrowserTests|^ClusterTests\.(Scrape|EndScrape|Top)Tests
engines := $(engines)|^TelemetryTests\.PromtoolTests
# What starts clusters, or computes for a minute, is tested once, with the program that users run.
once := ^(ClusterTests|DeployTests|DoctorTests|ProcessesTests)\.|^DashboardTests\.(Browser|End|Live|Stranger)Tests
once := $(once)|^ModelsTests\.(FiniteDifferenceTests|TrapTests/overfit)|^LayersTests\.SequenceGradientTests
release := swift test -c release -Xswiftc -enable-testing
test: setup ## every test but those of foreign engines: in release, and all that start no cluster in debug too (every check on)
	@echo "beside what it builds with, this installs: python3-venv and python3-jsonschema (apt); tensorboard and jsonschema (PyPI, in .build-tools)"
	@mkdir -p .build && rm -f .build/skipped.txt
	@bash Tests/Scripts/watched.sh 3600 swift test --skip '$(once)|$(engines)'
	@bash Tests/Scripts/watched.sh 3600 $(release) --skip '$(engines)'
	@bash Tests/Scripts/skipped.sh

test-engines: setup ## the tests that drive foreign engines, in release; installs those first
	@echo "this installs what is missing of: slurm, munge, openssh-server, podman, debootstrap, chromium, prometheus, tmux (apt)"
	@mkdir -p .build && rm -f .build/skipped.txt
	@bash Tests/Scripts/watched.sh 3600 $(release) --filter '$(engines)'
	@bash Tests/Scripts/skipped.sh

quick: setup ## debug build, and the tests of it that take a minute: before make test
	@bash Tests/Scripts/watched.sh 600 swift test --skip '$(once)|$(engines)|^(ModelsTests|LayersTests|RecordsTests)\.'

generated: ## writes anew what is made from types and metrics: JSON schemas, Grafana's dashboard
	@python3 -B Tests/Scripts/generate/generate.py

format: ## formats the sources in place
	swift format --in-place --recursive Package.swift Sources Tests

lint: ## what CI checks of the format
	swift format lint --strict --recursive Package.swift Sources Tests
