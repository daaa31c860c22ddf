#!/usr/bin/env bash
# Installs the built program with all that it needs besides Debian's libraries: Swift's runtime, completions, a man page, configs.
#   DESTDIR=… cluster/install.sh PREFIX [PROGRAM]     (PROGRAM: .build/release/myriad unless given)
# The runtime lies in PREFIX/lib/myriad beside the program, which PREFIX/bin links to: no toolchain is needed to run it.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=${1:?usage: cluster/install.sh PREFIX [PROGRAM]}
program=${2:-.build/release/myriad}
[ -x "$program" ] || { echo "$program is no program: make build" >&2; exit 2; }
bash cluster/install-packages.sh patchelf binutils
root=${DESTDIR:-}$prefix
lib=$root/lib/myriad
share=$root/share
mkdir -p "$root/bin" "$lib" "$share"/{man/man1,bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d,myriad,doc/myriad}

install -m 755 "$program" "$lib/myriad"
strip --strip-debug "$lib/myriad"
# What the toolchain brings, and Debian does not.
swift=$(dirname "$(dirname "$(realpath "$(command -v swift)")")")
ldd "$program" | awk -v swift="$swift/" 'index($3, swift) == 1 { print $3 }' | while read -r library; do
    install -m 644 "$(realpath "$library")" "$lib/$(basename "$library")"
done
for file in "$lib"/*; do patchelf --set-rpath '$ORIGIN' "$file"; done
ln -sf ../lib/myriad/myriad "$root/bin/myriad"

"$program" --generate-completion-script bash >"$share/bash-completion/completions/myriad"
"$program" --generate-completion-script zsh >"$share/zsh/vendor-completions/_myriad"
"$program" --generate-completion-script fish >"$share/fish/vendor_completions.d/myriad.fish"
bash cluster/man.sh "$program" | gzip -9n >"$share/man/man1/myriad.1.gz"
for folder in configs cluster; do
    rm -rf "${share:?}/myriad/$folder"
    mkdir "$share/myriad/$folder"
done
cp -r configs/. "$share/myriad/configs"
cp cluster/{slurm.sbatch,hosts.example,prometheus.yml,alerts.yml,grafana.json} "$share/myriad/cluster"
cp LICENSE "$share/doc/myriad/copyright"
cp -r README.md docs "$share/doc/myriad"
gzip -9nc CHANGELOG.md >"$share/doc/myriad/changelog.gz"
find "$lib" "$share/myriad" "$share/doc/myriad" -type d -exec chmod 755 {} +
find "$share/myriad" "$share/doc/myriad" -type f -exec chmod 644 {} +
[ -n "${DESTDIR:-}" ] || echo "installed: $root/bin/myriad; configs in $share/myriad/configs; man myriad"
