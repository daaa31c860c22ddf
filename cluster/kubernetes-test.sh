#!/usr/bin/env bash
# Checks cluster/kubernetes.yaml, and a manifest with keys in it, against Kubernetes' own schemas, unknown fields refused.
#   bash cluster/kubernetes-test.sh     (MYRIAD=path of the program; .build/release/myriad unless set)
# Fetches kubernetes-validate from PyPI when it is missing (about 6 s, 140 MB with all schemas). Ends with a line of verdict:
# 0 passed, 1 failed, 77 skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
MYRIAD=$(realpath -m "${MYRIAD:-.build/release/myriad}")
skip() { echo "kubernetes-test: skipped: $*"; exit 77; }
fail() { echo "kubernetes-test: FAILED: $*"; exit 1; }
[ -x "$MYRIAD" ] || skip "no program at $MYRIAD: build it, or say MYRIAD=path"

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
trap 'rm -rf "$work"' EXIT
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
echo "kubernetes-test: passed"
