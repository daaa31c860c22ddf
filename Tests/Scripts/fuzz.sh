#!/usr/bin/env bash
# Messages damaged by chance, for a shard, a scheduler and a worker, in a build that sees every read and write out of bounds.
# usage: Tests/Scripts/fuzz.sh [messages for each, 333334]   (ends with 0 when nothing trapped, 1 otherwise)
set -euo pipefail
cd "$(dirname "$0")/../.."
export MYRIAD_FUZZ="${1:-333334}" OPENBLAS_CORETYPE="${OPENBLAS_CORETYPE:-Haswell}"
# What a process holds when it ends is not looked for here.
export ASAN_OPTIONS=detect_leaks=0
echo "fuzz: 3 × $MYRIAD_FUZZ damaged messages"
swift test --sanitize=address --scratch-path .build-asan --filter 'Hostile(Messages|Answers)Tests/mutations' || exit 1
