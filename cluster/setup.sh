#!/usr/bin/env bash
# Installs the system libraries that the build links, when they are missing. Safe to run again.
# With the word `fetch` also what the demo fetches its data with.
set -euo pipefail

if ! command -v swift >/dev/null; then
    echo "setup: the Swift toolchain (6.2 or newer) is missing: see https://www.swift.org/install/linux/" >&2
    exit 2
fi

packages=(libopenblas-dev libzmq3-dev zlib1g-dev libzstd-dev pkg-config)
if [ "${1:-}" = fetch ]; then
    command -v curl >/dev/null || packages+=(curl)
    python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
fi
exec bash "$(dirname "$0")/install-packages.sh" "${packages[@]}"
