#!/usr/bin/env bash
# Installs the Debian package into a minimal Debian 12 without Swift, trains there, completes words, and removes it again.
#   MYRIAD=PROGRAM bash Tests/Scripts/deb-test.sh      (PROGRAM: the newest build unless set)
# Exit code 77 and a reason: it cannot run here.
set -euo pipefail
cd "$(dirname "$0")/../.."
skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*"; exit 1; }
program=$(bash Tests/Scripts/program.sh)
[ "$(id -u)" -eq 0 ] || skip "a root directory of another Debian takes root"
problem=$(bash cluster/install-packages.sh debootstrap 2>&1 >/dev/null) || skip "${problem##*$'\n'}"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/myriad-deb-XXXXXX")
root=$work/root
cleanup() {
    umount "$root/proc" "$root/dev/shm" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
package=$(PROGRAM=$program bash cluster/deb.sh "$work") || fail "cluster/deb.sh"
echo "ok: $(basename "$package"), $(($(stat -c %s "$package") / 1000000)) MB, needs: $(dpkg-deb -f "$package" Depends)"

mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
debootstrap --variant=minbase bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >"$work/log" 2>&1 ||
    skip "debootstrap: $(tail -n 1 "$work/log")"
mkdir -p "$root/dev/shm"
mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/dev/shm" || skip "nothing can be mounted here"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive \
    http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" OPENBLAS_CORETYPE="${OPENBLAS_CORETYPE:-}" "$@"; }
files() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/log -o -path ./var/cache -o -path ./root -o -path ./etc/ld.so.cache \) -prune -o -print | sort); }
! inside sh -c 'command -v swift' >/dev/null || fail "Swift is there"

cp "$package" "$root/root/"
inside apt-get -qq update >"$work/log" 2>&1 || fail "apt-get update: $(tail -n 1 "$work/log")"
# What the package depends on is there beforehand, so that what it leaves behind is its own.
inside sh -c 'apt-get -qq install -y --no-install-recommends bash-completion man-db $(dpkg-deb -f /root/myriad_*.deb Depends | sed "s/([^)]*)//g; s/|[^,]*//g; s/,/ /g")' >"$work/log" 2>&1 || fail "$(tail -n 2 "$work/log")"
files >"$work/before"
inside sh -c 'apt-get -qq install -y --no-install-recommends /root/myriad_*.deb' >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"
echo "ok: installed into $(inside cat /etc/debian_version) without Swift: $(inside myriad --version)"

inside sh -c 'cd /root && myriad prepare synthetic --users 300 --output data/synthetic && myriad launch /usr/share/myriad/configs/synthetic.yaml --servers 2 --workers 2 train.epochs=1 --run runs/one' >"$work/train" 2>&1 ||
    fail "training: $(tail -n 5 "$work/train")"
grep -q 'test: AUC 0\.' "$work/train" || fail "no AUC: $(tail -n 5 "$work/train")"
echo "ok: $(grep 'test: AUC' "$work/train")"

words=$(inside bash -c '. /usr/share/bash-completion/bash_completion; _comp_load myriad 2>/dev/null || __load_completion myriad
    COMP_WORDS=(myriad tr) COMP_CWORD=1 COMP_LINE="myriad tr" COMP_POINT=9 COMP_TYPE=9
    function=$(complete -p myriad | sed -E "s/.*-F ([^ ]+).*/\1/"); "$function" myriad tr myriad; printf "%s\n" "${COMPREPLY[@]}"')
[ "$(xargs <<<"$words")" = train ] || fail "myriad tr<TAB> completes to '$words'"
echo "ok: myriad tr<TAB> completes to train"
inside man myriad >"$work/man" 2>"$work/log" || fail "man myriad: $(tail -n 1 "$work/log")"
grep -q 'myriad launch' "$work/man" && [ ! -s "$work/log" ] || fail "the man page: $(cat "$work/log")"
echo "ok: a man page of $(wc -l <"$work/man") lines"

inside apt-get -qq purge -y myriad >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"
files >"$work/after"
left=$(comm -13 "$work/before" "$work/after" | grep -v '/__pycache__' || true)
[ -z "$left" ] || fail "left behind: $(head -n 5 <<<"$left" | xargs)"
echo "ok: removed without a trace"
