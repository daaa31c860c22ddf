#!/usr/bin/env bash
# Prints the Python that has the packages which these tests read our files with, installing them once; fails with the
# reason when they cannot be had.
set -euo pipefail
tools="$(cd "$(dirname "$0")/../../.." && pwd)/.build-tools"
python="$tools/records/bin/python3"
packages=(tensorboard==2.21.0 jsonschema==4.26.0)
mkdir -p "$tools"
# Several test processes may want it at once.
exec 9>"$tools/records.lock"
flock 9
if [ "$(cat "$tools/records/packages" 2>/dev/null)" != "${packages[*]}" ]; then
    if ! python3 -m venv --help >/dev/null 2>&1 || ! python3 -c 'import ensurepip' 2>/dev/null; then
        bash "$tools/../cluster/install-packages.sh" python3-venv
    fi
    rm -rf "$tools/records"
    python3 -m venv "$tools/records" >&2
    timeout 300 "$python" -m pip install --quiet --disable-pip-version-check --retries 1 "${packages[@]}" >&2 ||
        { echo "PyPI cannot be reached: ${packages[*]} are not installed" >&2; exit 1; }
    echo "${packages[*]}" >"$tools/records/packages"
fi
echo "$python"
