#!/usr/bin/env bash
# Prints the path of the program that a script drives: what MYRIAD names, else the newest build, else one that it makes now.
#   Tests/Scripts/program.sh [release]     with the word, no debug build: for measurements
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${MYRIAD:-}
if [ -z "$program" ]; then
    kinds=(release debug)
    [ $# -eq 0 ] || kinds=("$1")
    program=$(for kind in "${kinds[@]}"; do echo "$root/.build/$kind/myriad"; done | xargs ls -t 2>/dev/null | head -n 1 || true)
    if [ -z "$program" ]; then
        (cd "$root" && bash cluster/setup.sh && swift build -c release --product myriad) >&2
        program=$root/.build/release/myriad
    fi
fi
[ -x "$program" ] || {
    echo "$program is no program: build it, or correct MYRIAD" >&2
    exit 69
}
realpath "$program"
