#!/usr/bin/env bash
# Prints the directory of `prometheus` and `promtool`; unpacks Debian's package into .build-tools when they are missing.
# The package is unpacked rather than installed: no service is started, and only apt's lists may need root.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v prometheus >/dev/null && promtool=$(command -v promtool); then
    dirname "$promtool"
    exit 0
fi
tools=$PWD/.build-tools
mkdir -p "$tools"
# Several test processes may ask at the same time.
exec 9>"$tools/prometheus.lock"
flock 9
if [ -x "$tools/prometheus/usr/bin/promtool" ]; then
    echo "$tools/prometheus/usr/bin"
    exit 0
fi
fail() {
    echo "install-prometheus: $1; install Prometheus yourself, with prometheus and promtool in PATH" >&2
    exit 2
}
command -v apt-get >/dev/null || fail "apt-get is missing, so that Debian's package cannot be fetched"

work=$(mktemp -d "$tools/prometheus.XXXXXX")
trap 'rm -rf "$work"' EXIT
fetch() { (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root prometheus >&2); }
if ! fetch 2>/dev/null; then
    problem=$(bash cluster/install-packages.sh 2>&1) || fail "apt knows no package prometheus; ${problem##*$'\n'}"
    fetch || fail "the package prometheus cannot be downloaded"
fi
dpkg -x "$work"/prometheus_*.deb "$work/root" || fail "the package prometheus cannot be unpacked"
rm -rf "$tools/prometheus"
mv "$work/root" "$tools/prometheus"
echo "$tools/prometheus/usr/bin"
