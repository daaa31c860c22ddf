#!/usr/bin/env bash
# Installs tmux, in which the tests of `myriad top` run, when it is missing. Safe to run again.
set -euo pipefail
command -v tmux >/dev/null && exit 0
if [ "$(id -u)" -eq 0 ]; then
    sudo=()
elif command -v sudo >/dev/null; then
    sudo=(sudo -n)
else
    echo "tmux is missing; install it as root: apt-get install tmux" >&2
    exit 2
fi
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq tmux >/dev/null
