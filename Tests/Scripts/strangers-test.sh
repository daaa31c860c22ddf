#!/usr/bin/env bash
# Lets many strangers connect to the scheduler and the shards of a cluster while it trains.
#   bash Tests/Scripts/strangers-test.sh [keys|plain [CONFIG [SETTINGS…]]]
# Of a cluster with keys they do not get past the handshake; in plaintext they reach the program, and its limits hold.
# Memory has to stay flat, every process alive, the strangers counted, and the SHA-256 what it is without them. Prints
# samples/s with and without. CONFIG (default: a tiny world) is trained for about FOR=12 seconds each time.
#   STRANGERS=2000  so many in all (default: 10,000)
#   A_SECOND=500    so many connections a second (default: as many as one core makes)
#   PINNED=1        the cluster on processor 0, the strangers on 1: what the cluster itself loses
# MYRIAD is the program (the newest build unless set; built if there is none). KEEP=DIR keeps logs there. Exit code 77: it cannot run here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
myriad=$(bash "$here/program.sh")
script=$here/strangers-test.sh
home=${STRANGERS_HOME:-$PWD}
export STRANGERS_HOME=$home
. "$here/netns.sh"
enter_namespaces "$@"

count=${STRANGERS:-10000}
bad=0
complain() {
    echo "FAILED: $1"
    bad=1
}
keep() { [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$work"/*.log "$work"/*.json "$KEEP"/; }; }
trap keep EXIT
strangers=()
[ -z "${PINNED:-}" ] || { wrap=(taskset -c 0) strangers=(taskset -c 1); }

kind=${1:-keys}
shift || true
if [ $# -gt 0 ]; then
    config=$(cd "$home" && realpath "$1")
    shift
    settings=("$@" monitor.page=off)
    # Data is named from where the caller stands.
    cd "$home"
else
    small_world
    config=$work/job.yaml
    settings=()
fi
settings+=(train.max_steps=0 train.epochs=100000 cluster.servers=2 cluster.workers=1)
there=$(address 0):5555
shards=("$(address 1):6000" "$(address 2):6000")
if [ "$kind" = plain ]; then
    flags=(--insecure) most=256
else
    make_keys "$work/keys"
    flags=(--keys "$work/keys") most=16
fi
network crowd 5

# Starts a cluster for so many steps: begin NAME STEPS
begin() {
    local number
    start "$1-scheduler" crowd-0 scheduler "$config" "${settings[@]}" "train.max_steps=$2" --run "$work/$1" \
        --listen "$there" "${flags[@]}"
    for number in 0 1; do
        start "$1-server-$number" "crowd-$((1 + number))" server --scheduler "$there" \
            --listen "tcp://${shards[number]}" --checkpoints "$work/$1/checkpoints" "${flags[@]}"
    done
    start "$1-worker" crowd-3 worker --scheduler "$there" "${flags[@]}"
    all=("$1-scheduler" "$1-server-0" "$1-server-1" "$1-worker")
}

finish() {
    local name
    await 300 "${all[@]}" || true
    for name in "${all[@]}"; do
        [ "$(code_of "$name")" = 0 ] || {
            complain "$name ended with $(code_of "$name"):"
            said "$name" | tail -n 5
        }
    done
}

rate() { grep -oE '[0-9]+ samples/s' "$work/$1-scheduler.log" | tail -n 1 | cut -d' ' -f1; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$work/$1.pid")/status" 2>/dev/null; }

# Of every process, the kilobytes that it holds; - of one that is gone.
memory() {
    local name
    for name in "${all[@]}"; do
        awk '/^VmRSS/ { found = $2 } END { print found ? found : "-" }' "/proc/$(cat "$work/$name.pid")/status" \
            2>/dev/null || echo -
    done
}

over() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }

begin trial 300
finish
batch=$("$myriad" config show "$config" "${settings[@]}" | awk '$1 == "batch:" { print $2; exit }')
steps=$(($(rate trial) * ${FOR:-12} / batch + 300))

for try in 1 2 3 4 5 6; do
    echo "== $steps steps without strangers =="
    began=$EPOCHREALTIME
    begin "calm-$try" "$steps"
    finish
    calm=$(processor "${all[@]}")
    echo "  $(rate "calm-$try") samples/s, $(since "$began") s, $calm s of processor, $(digest "$work/calm-$try")"

    echo "== the same with strangers at $there ${shards[*]} =="
    begin "storm-$try" "$steps"
    until_file_says "$work/storm-$try/metrics.jsonl" started
    sleep 3
    mapfile -t before < <(memory)
    nsenter --net=/run/netns/crowd-4 "${strangers[@]}" "$python" "$here/strangers.py" "$count" "${A_SECOND:-0}" "$there" \
        "${shards[@]}" >"$work/strangers.json"
    mapfile -t after < <(memory)
    on crowd-0 "$myriad" status "$there" "${flags[@]}" -o json >"$work/status.json" 2>"$work/status.log" || true
    { [[ " ${after[*]} " == *" - "* ]] || [ ! -s "$work/status.json" ]; } || break
    # A cluster that is done before the strangers are proves nothing; one that died is said by its code.
    finish
    [ $bad -eq 0 ] || exit 1
    echo "  training was over before the strangers were: twice as many steps"
    steps=$((steps * 2))
done
{ [[ " ${after[*]} " != *" - "* ]] && [ -s "$work/status.json" ]; } || complain "training is always over before the strangers are"
finish
echo "  $(cat "$work/strangers.json")"
for number in "${!all[@]}"; do
    grown=$(((after[number] - before[number]) / 1024))
    echo "  ${all[number]}: ${before[number]} kB before, ${after[number]} kB after"
    [ "$grown" -le "$most" ] || complain "${all[number]} has grown by $grown MB"
done
storm=$(processor "${all[@]}")
echo "  $(rate "storm-$try") samples/s, $storm s of processor; with strangers over without:" \
    "samples/s $(over "$(rate "storm-$try")" "$(rate "calm-$try")"), processor $(over "$storm" "$calm")"
[ "$(digest "$work/storm-$try")" = "$(digest "$work/calm-$try")" ] || complain "strangers have changed the SHA-256"
"$python" - "$work/strangers.json" "$work/status.json" "$kind" "$count" <<'CHECK' || complain "the strangers are not as expected"
import json, sys
crowd, status = (json.load(open(path)) for path in sys.argv[1:3])
count = int(sys.argv[4])
assert crowd["made"] >= 0.999 * count, f"only {crowd['made']} of {count} could connect"
assert crowd["thrown out"] >= crowd["stayed"] * 0.99, "who says nothing is not thrown out"
counted = {f"{node['role']} {node['rank']}": node.get("turned_away") for node in status["nodes"]}
print("  turned away:", json.dumps(counted))
if sys.argv[3] == "keys":
    assert sum(sum(kinds.values()) for kinds in counted.values() if kinds) > count / 10, "strangers are not counted"
CHECK
if [ $bad -eq 0 ]; then echo "PASSED: $count strangers ($kind)"; else echo "FAILED: see above"; fi
exit $bad
