#!/usr/bin/env bash
# Installs what the page's tests drive: `install.sh chromium` or `install.sh python3-jsonschema`, if it is missing.
set -euo pipefail
package=$1
dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' && exit 0
export DEBIAN_FRONTEND=noninteractive
# Two tests that begin at once would fight for dpkg's lock.
exec 9>"${TMPDIR:-/tmp}/myriad-apt.lock"
flock 9
apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 && exit 0
apt-get update -qq && apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$package" >/dev/null
