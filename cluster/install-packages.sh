#!/usr/bin/env bash
# Installs Debian packages, those that are missing: install-packages.sh PACKAGE…; without a word it only updates apt's lists.
# All that installs goes through here. As root, or by sudo: without a terminal to ask on, sudo must not have to ask.
# Ends with 2 and a reason on standard error where the packages cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
for package in "$@"; do
    command -v "$package" >/dev/null || dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ $# -eq 0 ] || [ ${#missing[@]} -gt 0 ] || exit 0
what=${missing[*]:-"the lists of apt"}
fail() {
    echo "$what: $1" >&2
    exit 2
}
command -v apt-get >/dev/null || fail "missing, and there is no apt-get to get it with"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
    sudo=(sudo)
    [ -t 0 ] || sudo+=(-n)
    { command -v sudo && { [ -t 0 ] || sudo -n true; }; } >/dev/null 2>&1 ||
        fail "missing, and installing takes root: apt-get install ${missing[*]}"
fi
# sudo hands no variables on.
apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@" >/dev/null; }
install() { [ ${#missing[@]} -eq 0 ] || apt install -y --no-install-recommends "${missing[@]}"; }
# Two that begin at once would fight for dpkg's lock. It lies here, where nobody else can have made it.
[ ${#missing[@]} -eq 0 ] || echo "installing ${missing[*]}" >&2
mkdir -p .build-tools
exec 9>.build-tools/apt.lock
flock 9
{ [ ${#missing[@]} -gt 0 ] && install 2>/dev/null; } || { apt update && install; } || fail "apt-get cannot install this"
