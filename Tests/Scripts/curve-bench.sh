#!/usr/bin/env bash
# What encryption costs: the same training between two hosts (network namespaces), with keys and in plaintext, in turn.
#   bash Tests/Scripts/curve-bench.sh [ROUNDS]       samples/s of each round and their ratios, then MB/s between the processes
# Host 0 has the scheduler and 2 servers, host 1 has 2 workers; DIN of configs/synthetic.yaml for STEPS steps (1500).
# MYRIAD is the program (the release build unless set; leave OPENBLAS_CORETYPE unset). Exit 77: it cannot run here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
myriad=$(bash "$here/program.sh" release)
script=$here/curve-bench.sh
. "$here/netns.sh"
enter_namespaces "$@"

rounds=${1:-3}
steps=${STEPS:-1500}
there=$(address 0):5555
"$myriad" prepare synthetic --users 10000 --output "$work/data" >/dev/null
network bench 2
make_keys "$work/keys"

# begin NAME keys|plain STEPS
begin() {
    local name=$1 number flags=(--insecure)
    [ "$2" = plain ] || flags=(--keys "$work/keys")
    start "$name-scheduler" bench-0 scheduler "$here/../../configs/synthetic.yaml" "data.directory=$work/data" \
        "train.max_steps=$3" train.epochs=1000 train.evaluations=0 cluster.servers=2 cluster.workers=2 \
        monitor.page=off --run "$work/$name" --listen "$there" "${flags[@]}"
    all=("$name-scheduler")
    for number in 0 1; do
        start "$name-server-$number" bench-0 server --scheduler "$there" --checkpoints "$work/$name/checkpoints" \
            "${flags[@]}"
        start "$name-worker-$number" bench-1 worker --scheduler "$there" "${flags[@]}"
        all+=("$name-server-$number" "$name-worker-$number")
    done
}

# samples/s and seconds of processor of all processes together.
measure() {
    begin "$1" "$2" "$steps"
    await 600 "${all[@]}" || {
        echo "FAILED: $1 does not end"
        exit 1
    }
    grep -oE '[0-9]+ samples/s' "$work/$1-scheduler.log" | tail -n 1 | cut -d' ' -f1
}

echo "round    plaintext      keys   keys over plaintext (samples/s)"
for ((round = 1; round <= rounds; round++)); do
    # The order changes, so that neither is always the first.
    if ((round % 2)); then
        plain=$(measure "plain-$round" plain)
        keys=$(measure "keys-$round" keys)
    else
        keys=$(measure "keys-$round" keys)
        plain=$(measure "plain-$round" plain)
    fi
    [ "$(digest "$work/plain-$round")" = "$(digest "$work/keys-$round")" ] || {
        echo "FAILED: keys have changed the SHA-256"
        exit 1
    }
    awk -v r="$round" -v p="$plain" -v k="$keys" 'BEGIN { printf "%5d %12d %9d   %.3f\n", r, p, k, k / p }'
done | tee "$work/rounds"
awk '$1 + 0 { p += $2; k += $3; n += 1 } END { printf "mean  %12d %9d   %.3f\n", p / n, k / n, k / p }' "$work/rounds"

for kind in plain keys; do
    echo "== MB/s between workers and shards while training goes on: $kind =="
    begin "doctor-$kind" $kind 0
    until_file_says "$work/doctor-$kind/metrics.jsonl" started
    sleep 3
    # The run's directory holds a key for those who look.
    look=()
    [ $kind = keys ] || look=(--insecure)
    on bench-0 "$myriad" doctor --cluster "$work/doctor-$kind" "${look[@]}" 2>&1 | sed -n '/^MB/,$p'
    kill -9 "$(cat "$work/doctor-$kind-scheduler.pid")"
    await 60 "${all[@]}" || true
done
echo "PASSED: the same SHA-256 in every round"
