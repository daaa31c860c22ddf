#!/usr/bin/env bash
# Makes a Debian package of the program for machines without a toolchain: cluster/deb.sh [DIRECTORY]
# It is built for MYRIAD_MARCH (x86-64-v3 unless set: one package, and the same bits, for all machines of a cluster), or made of
# the program that PROGRAM names. Prints the path of the package.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(mkdir -p "${1:-.build-deb}" && realpath "${1:-.build-deb}")
bash cluster/install-packages.sh patchelf binutils dpkg-dev >&2
program=${PROGRAM:-}
if [ -z "$program" ]; then
    bash cluster/setup.sh >&2
    MYRIAD_MARCH=${MYRIAD_MARCH:-x86-64-v3} swift build -c release --scratch-path .build-deb --product myriad >&2
    program=.build-deb/release/myriad
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
DESTDIR=$work/root bash cluster/install.sh /usr "$program" >&2
architecture=$(dpkg --print-architecture)
version=$("$program" --version)
# dpkg says which Debian packages hold the libraries that are not its own.
mkdir "$work/debian" && printf 'Source: myriad\n\nPackage: myriad\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info "-l$work/root/usr/lib/myriad" \
    root/usr/lib/myriad/* 2>"$work/shlibs.log" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "dpkg-shlibdeps names no package: $(tail -n 1 "$work/shlibs.log")" >&2; exit 1; }
mkdir "$work/root/DEBIAN"
cat >"$work/root/DEBIAN/control" <<END
Package: myriad
Version: $version
Architecture: $architecture
Maintainer: Myriad <myriad@example.org>
Section: science
Priority: optional
Installed-Size: $(du -sk "$work/root" | cut -f1)
Depends: $depends
Recommends: openssh-client
Description: trainer for click-through-rate models on parameter servers
 Trains DIN, DIEN, DSIN, BST and a pooled baseline in one process or on a
 cluster of sharded parameter servers and workers, to the same bits.
 .
 Swift's runtime libraries are in the package.
END
(cd "$work/root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
package=$target/myriad_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$work/root" "$package" >/dev/null
echo "$package"
