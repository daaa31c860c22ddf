#!/usr/bin/env bash
# Installs Debian packages that a test drives, those that are missing: install-packages.sh PACKAGE…
# Ends with a reason on standard error where that takes root or the packages cannot be had.
set -euo pipefail
missing=()
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "${missing[*]} missing, and installing takes root: apt-get install ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
# Two tests that begin at once would fight for dpkg's lock.
exec 9>"${TMPDIR:-/tmp}/myriad-apt.lock"
flock 9
install 2>/dev/null || { apt-get update -qq && install; } || {
    echo "apt-get cannot install ${missing[*]}" >&2
    exit 1
}
