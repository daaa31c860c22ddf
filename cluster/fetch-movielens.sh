#!/usr/bin/env bash
# Fetches MovieLens-100K into the directory given: from its official address, else from the PyPI wheel `recbole`, which
# carries the same data as atomic files. Nothing is done when it is there already. Exit code 3: neither can be reached.
# The data may not be redistributed: never commit it.
set -euo pipefail

target=${1:?usage: cluster/fetch-movielens.sh DIRECTORY}
if [ -f "$target/u.data" ] || [ -f "$target/ml-100k.inter" ]; then
    exit 0
fi
mkdir -p "$target"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if command -v curl >/dev/null && command -v python3 >/dev/null &&
    curl -fsSL --connect-timeout 5 --max-time 60 -o "$work/ml.zip" \
        https://files.grouplens.org/datasets/movielens/ml-100k.zip 2>/dev/null &&
    python3 -m zipfile -e "$work/ml.zip" "$work"; then
    cp "$work/ml-100k/u.data" "$work/ml-100k/u.item" "$target/"
    echo "fetched MovieLens-100K from files.grouplens.org"
    exit 0
fi
echo "files.grouplens.org cannot be reached; trying the PyPI package recbole" >&2
if command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 &&
    python3 -m pip download -q --no-deps --dest "$work" recbole >/dev/null 2>&1; then
    python3 -m zipfile -e "$work"/recbole-*.whl "$work/wheel"
    cp "$work"/wheel/recbole/dataset_example/ml-100k/ml-100k.{inter,item} "$target/"
    echo "fetched MovieLens-100K from the PyPI package recbole"
    exit 0
fi
echo "PyPI cannot be reached either (python3 with pip is needed)" >&2
exit 3
