#!/usr/bin/env bash
# Trains on four hosts with own addresses (network namespaces): scheduler, 2 servers, 3 workers, with and without keys.
#   bash Tests/Scripts/netns-test.sh                 all parts
#   bash Tests/Scripts/netns-test.sh bits capture    some of them
#     bits     every shape of cluster, with keys, without, and over IPv6, gives the SHA-256 of one process
#     capture  what crosses the network of a cluster with keys holds no id, no config and no name that it holds without
#     faults   what is dead, unreachable, wrong or a stranger is named on the right side, within seconds; refusals too
# MYRIAD is the program (the newest build unless set; built if there is none). KEEP=DIR keeps logs there. Exit code 77: it cannot run here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
myriad=$(bash "$here/program.sh")
script=$here/netns-test.sh
. "$here/netns.sh"
. "$here/netns-faults.sh"
enter_namespaces "$@"

bad=0
complain() {
    echo "FAILED: $1"
    bad=1
}
parts="${*:-bits capture faults}"
keep() { [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$work"/* "$KEEP"/; }; }
trap keep EXIT

# Trains the job to its end: train NAME NETWORK "SERVERS SHARDS WORKERS THREADS" SCHEDULER keys|plain
# A node is told the scheduler's address and nothing else of the network; each host has a key of its own.
train() {
    local name=$1 network=$2 shape scheduler=$4 kind=$5 number host flags
    read -ra shape <<<"$3"
    read -ra flags <<<"$(security "$kind" "$work/keys")"
    local all=("$name-scheduler")
    start "$name-scheduler" "$network-0" scheduler "$work/job.yaml" --listen "$scheduler" --run "$work/$name" \
        "cluster.servers=${shape[0]}" "cluster.shards=${shape[1]}" "cluster.workers=${shape[2]}" \
        "cluster.threads=${shape[3]}" "${flags[@]}"
    for ((number = 0; number < shape[0]; number++)); do
        host=$((1 + number % 3))
        read -ra flags <<<"$(security "$kind" "$work/keys-$host")"
        all+=("$name-server-$number")
        start "$name-server-$number" "$network-$host" server --scheduler "$scheduler" --shards "${shape[1]}" \
            --checkpoints "$work/$name/checkpoints" "${flags[@]}"
    done
    for ((number = 0; number < shape[2]; number++)); do
        host=$((1 + number % 3))
        read -ra flags <<<"$(security "$kind" "$work/keys-$host")"
        all+=("$name-worker-$number")
        start "$name-worker-$number" "$network-$host" worker --scheduler "$scheduler" "${flags[@]}"
    done
    await 120 "${all[@]}" || true
    for number in "${all[@]}"; do
        [ "$(code_of "$number")" = 0 ] || {
            complain "$number ended with $(code_of "$number"):"
            said "$number" | tail -n 5
        }
    done
}

security() { if [ "$1" = keys ]; then echo "--keys $2"; else echo --insecure; fi; }

# Trains, and compares the SHA-256 with that of one process.
same_bits() {
    local began=$EPOCHREALTIME found
    train "$@"
    found=$(digest "$work/$1")
    printf '  %-12s servers, shards, workers, threads: %s  %5.1f s  %s\n' "$1" "$3" "$(since "$began")" \
        "${found:0:24}…"
    [ "$found" = "$expected" ] || complain "$1: $found instead of $expected"
}

# (servers, shards a server, workers, threads).
shapes=("1 1 1 1" "2 1 1 2" "3 2 2 1" "1 2 3 2" "2 2 4 1" "3 1 4 2" "1 1 2 2" "2 1 3 1")

bits() {
    echo "== bits: 4 hosts, one SHA-256 =="
    network grid 4
    local shape number=0 scheduler
    scheduler=$(address 0):5555
    for shape in "${shapes[@]}"; do
        number=$((number + 1))
        same_bits "keys-$number" grid "$shape" "$scheduler" keys
        same_bits "plain-$number" grid "$shape" "$scheduler" plain
    done
    same_bits ipv6-keys grid "2 1 3 1" "[fd77::10]:5555" keys
    same_bits ipv6-plain grid "2 1 3 1" "[fd77::10]:5555" plain
}

capture() {
    echo "== capture: ids, config and names in what crosses the network =="
    network wire 4
    local kind words=(myriad $'MYRD\x02' micro_batch attention "$work/world" wire-1 wire-2 wire-3)
    for kind in plain keys; do
        nsenter --net=/run/netns/wire-switch "$python" "$here/capture.py" record "$work/$kind.packets" \
            >"$work/$kind.capture" 2>&1 &
        local recorder=$!
        until_file_says "$work/$kind.capture" recording
        train "capture-$kind" wire "2 1 3 1" "$(address 0):5555" "$kind"
        kill "$recorder"
        wait "$recorder" || true
        "$python" "$here/capture.py" search "$work/$kind.packets" "$work/world" "${words[@]}" >"$work/$kind.found"
        echo "  $kind: $(cat "$work/$kind.found") $(grep missed "$work/$kind.capture")"
        grep -q "missed 0 packets" "$work/$kind.capture" || complain "the capture of $kind is not complete"
    done
    "$python" - "$work/plain.found" "$work/keys.found" <<'CHECK' || complain "see the last line"
import json, sys
plain, keys = (json.load(open(path)) for path in sys.argv[1:])
assert plain["as sent"] > plain["ids"] * 0.9, "the plaintext capture does not hold the ids: it would prove nothing"
assert {"MYRD\x02", "micro_batch", "wire-1"} <= set(plain["words"]), "the plaintext capture does not hold the config"
assert keys["bytes"] > plain["bytes"] * 0.9, "the capture of the cluster with keys is not of the same traffic"
for encoding in ["as sent", "reversed", "hexadecimal", "decimal"]:
    assert keys[encoding] == 0, f"ids {encoding}: {keys[encoding]}"
assert not keys["words"], f"words: {keys['words']}"
CHECK
}

small_world
"$myriad" train "$work/job.yaml" --run "$work/reference" >"$work/reference.log" 2>&1 || {
    cat "$work/reference.log"
    exit 1
}
expected=$(digest "$work/reference")
echo "one process: $expected"
make_keys "$work/keys"
for host in 1 2 3; do make_node_keys "$work/keys-$host" "$work/keys" "host-$host"; done
for part in $parts; do
    case $part in
    bits | capture | faults) "$part" ;;
    *) complain "no part is called '$part'" ;;
    esac
done
if [ $bad -eq 0 ]; then echo "PASSED: $parts"; else echo "FAILED: see above ($parts)"; fi
exit $bad
