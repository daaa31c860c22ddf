#!/usr/bin/env bash
# Checks cluster/kubernetes.yaml, and a manifest with keys in it, against Kubernetes' own schemas, unknown fields refused;
# then that pods would leave with the exit codes that the manifest counts on.
#   bash Tests/Scripts/kubernetes-test.sh     (MYRIAD=path of the program; the newest build unless set)
# Fetches kubernetes-validate from PyPI when it is missing (about 6 s, 140 MB with all schemas). Ends with a line of verdict:
# 0 passed, 1 failed, 77 skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
MYRIAD=$(bash Tests/Scripts/program.sh)
skip() { echo "kubernetes-test: skipped: $*"; exit 77; }
fail() { echo "kubernetes-test: FAILED: $*"; exit 1; }

tools=$PWD/.build-tools/kubernetes
validate=$tools/bin/kubernetes-validate
mkdir -p .build-tools
(
    # Two tests that begin at once would fetch it twice.
    flock 9
    [ -x "$validate" ] || {
        echo "fetching kubernetes-validate"
        rm -rf "$tools"
        python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
    }
) 9>.build-tools/kubernetes.lock >&2 || { rm -rf "$tools"; skip "kubernetes-validate cannot be fetched from PyPI (python3 with venv and pip?)"; }

work=$(mktemp -d)
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
check() { "$validate" --strict --kubernetes-version 1.37.0 "$1"; }

check cluster/kubernetes.yaml || fail "cluster/kubernetes.yaml is not what Kubernetes takes"
[ "$(check cluster/kubernetes.yaml 2>&1 | grep -c passed)" -eq 6 ] || fail "not all six objects were looked at"
! grep -q '^kind: Secret' cluster/kubernetes.yaml || fail "cluster/kubernetes.yaml holds a Secret"
echo "ok: cluster/kubernetes.yaml"

"$MYRIAD" keys create --keys "$work/keys" >/dev/null
"$MYRIAD" render kubernetes configs/din.yaml cluster.servers=3 cluster.workers=8 "model.top.hidden=[200, 80]" \
    --name din-big --namespace ads --image registry.example.org/ads/myriad:1 --data-claim data --runs-claim runs \
    --server-memory 16Gi --keys "$work/keys" --output "$work/job.yaml" 2>/dev/null
check "$work/job.yaml" || fail "a manifest with keys is not what Kubernetes takes"
[ "$(check "$work/job.yaml" 2>&1 | grep -c passed)" -eq 7 ] || fail "not all seven objects were looked at"
[ "$(stat -c %a "$work/job.yaml")" = 600 ] || fail "others may read a manifest with keys in it"
echo "ok: a manifest with keys in it, which is its user's alone"

# What is wrong has to be found, or the checks above say nothing.
wrong() {
    sed "$1" cluster/kubernetes.yaml >"$work/wrong.yaml"
    ! cmp -s cluster/kubernetes.yaml "$work/wrong.yaml" || fail "nothing to make wrong with $1"
    ! check "$work/wrong.yaml" >/dev/null 2>&1 || fail "a wrong file passes ($1)"
}
wrong 's/replicas: .*/replicas: two/'
wrong 's/podManagementPolicy/podManagementPolice/'
wrong 's/containerPort: 5555/containerPort: high/'
echo "ok: three wrong manifests are refused"
# What the manifest's policies make of exit codes has to be what the program does.
bash Tests/Scripts/small-world.sh "$work"
port=$((20000 + RANDOM % 12000))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
export MYRIAD_SCHEDULER=127.0.0.1:$port MYRIAD_STOPPED_CODE=143 MYRIAD_WAIT=60 MYRIAD_LISTEN=127.0.0.1:$port
# job RUN STEPS: starts a scheduler, a server and a worker
job() {
    (cd "$work" && exec "$MYRIAD" scheduler job.yaml "train.max_steps=$2" --run "$1" --continue) >"$work/$1.log" 2>&1 &
    pids=($!)
    (cd "$work" && unset MYRIAD_LISTEN && exec "$MYRIAD" server --checkpoints "$1/checkpoints") >"$work/server.log" 2>&1 &
    pids+=($!)
    (cd "$work" && exec "$MYRIAD" worker) >"$work/worker.log" 2>&1 &
    pids+=($!)
}
codes() {
    local all=() pid code
    for pid in "${pids[@]}"; do
        code=0
        wait "$pid" || code=$?
        all+=("$code")
    done
    pids=()
    echo "${all[*]}" >"$work/codes"
}
job stopped 100000000
until grep -q '"event":"started"' "$work/stopped/metrics.jsonl" 2>/dev/null; do
    kill -0 "${pids[0]}" 2>/dev/null || fail "the scheduler ended: $(cat "$work/stopped.log")"
    sleep 0.1
done
kill -TERM "${pids[0]}"
codes
[ "$(cat "$work/codes")" = "143 143 143" ] || fail "a job that is told to end leaves with $(cat "$work/codes")"
echo "ok: a job that is told to end leaves with 143 in every pod, so that all of them come back"
job done 50
codes
[ "$(cat "$work/codes")" = "0 0 0" ] || fail "a job that is done leaves with $(cat "$work/codes")"
echo "ok: a job that is done leaves with 0 in every pod"
echo "kubernetes-test: passed"
