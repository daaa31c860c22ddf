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
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
    sudo=()
elif command -v sudo >/dev/null; then
    sudo=(sudo)
else
    echo "setup: missing packages: ${missing[*]}; install them as root: apt-get install ${missing[*]}" >&2
    exit 2
fi
echo "setup: installing ${missing[*]}"
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y -qq "${missing[@]}" >/dev/null
