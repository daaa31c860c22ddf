#!/usr/bin/env bash
# Installs the system libraries that the build links, when they are missing. Safe to run again.
set -euo pipefail

if ! command -v swift >/dev/null; then
    echo "setup: the Swift toolchain (6.2 or newer) is missing: see https://www.swift.org/install/linux/" >&2
    exit 2
fi

missing=()
for package in libopenblas-dev libzmq3-dev zlib1g-dev libzstd-dev pkg-config; do
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
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
