#!/usr/bin/env bash
# Prints the man page of a program, made of its own help: man.sh PROGRAM
set -euo pipefail
program=${1:?usage: cluster/man.sh PROGRAM}
version=$("$program" --version)
# A line that begins with a dot or a quote would be a request to the formatter, and a backslash begins an escape.
plain() { iconv -f utf-8 -t ascii//TRANSLIT | sed -e 's/\\/\\e/g' -e "s/^\([.']\)/\\\\\&\1/" -e 's/-/\\-/g'; }
# The subcommands that the help of a command names.
parts() { sed -n '/^SUBCOMMANDS:/,$p' | sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p'; }
section() {
    local help
    help=$("$program" "$@" --help)
    printf '.SS "myriad%s"\n.nf\n' "${*:+ $*}"
    plain <<<"$help"
    printf '.fi\n'
    [ $# -ge 2 ] || for part in $(parts <<<"$help"); do [ "$part" = help ] || section "$@" "$part"; done
}
cat <<END
.TH MYRIAD 1 "" "Myriad $version" "User Commands"
.SH NAME
myriad \- train click\-through\-rate models on sharded parameter servers
.SH SYNOPSIS
.B myriad
.I SUBCOMMAND
[\fIOPTIONS\fR]
.SH DESCRIPTION
Trains DIN, DIEN, DSIN, BST and a pooled baseline in one process or on a cluster, to the same bits.
Configs that run lie in \fI/usr/share/myriad/configs\fR, documents in \fI/usr/share/doc/myriad\fR.
.SH COMMANDS
END
section
cat <<END
.SH FILES
.TP
.I runs/NAME
A run: config.yaml, metrics.jsonl, status.json, logs and checkpoints.
.TP
.I ~/.myriad/keys
The keys of this machine, for clusters beyond it.
END
