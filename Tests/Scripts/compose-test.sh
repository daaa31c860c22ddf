#!/usr/bin/env bash
# Checks cluster/compose.yaml with docker-compose's parser, then runs it with real containers through podman and podman-compose.
#   bash Tests/Scripts/compose-test.sh        (MYRIAD=path of the program; the newest build unless set)
# Installs both from Debian when they are missing (about 20 s, 70 MB). The image is made of that program and the libraries of
# this machine, so no registry is asked. Containers, network and storage are this test's own, in namespaces that end with it.
# Ends with a line of verdict: 0 passed, 1 failed, 77 skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
skip() { echo "compose-test: skipped: $*"; exit 77; }
fail() { echo "compose-test: FAILED: $*"; exit 1; }

install() {
    echo "installing $*"
    local problem
    problem=$(bash cluster/install-packages.sh "$@" 2>&1 >/dev/null) || skip "${problem##*$'\n'}"
}

if [ -z "${COMPOSE_TEST_WORK:-}" ]; then
    MYRIAD=$(bash Tests/Scripts/program.sh)
    command -v docker-compose >/dev/null || install docker-compose
    docker-compose --file cluster/compose.yaml config --quiet || fail "cluster/compose.yaml is wrong"
    [ "$(docker-compose --file cluster/compose.yaml config --services | sort | xargs)" = "scheduler server worker" ] ||
        fail "other services than scheduler, server and worker"
    ! sed 's/depends_on: \[scheduler\]/depends_on: [nobody]/' cluster/compose.yaml |
        docker-compose --file - config --quiet >/dev/null 2>&1 || fail "a wrong file passes"
    echo "ok: docker-compose takes cluster/compose.yaml, and refuses a wrong one"

    { command -v podman && command -v podman-compose && command -v crun && command -v busybox && command -v iptables && command -v catatonit &&
        [ -x /usr/lib/podman/netavark ] && [ -x /usr/lib/podman/aardvark-dns ]; } >/dev/null ||
        install podman podman-compose crun netavark aardvark-dns busybox-static catatonit iptables iproute2
    isolate=(unshare --mount --net --pid --fork --mount-proc --kill-child)
    [ "$(id -u)" -eq 0 ] && "${isolate[@]}" true 2>/dev/null || skip "containers are not run: that takes root and namespaces"
    COMPOSE_TEST_WORK=$(mktemp -d /tmp/myriad-compose.XXXXXX)
    export MYRIAD COMPOSE_TEST_WORK
    trap 'rm -rf "$COMPOSE_TEST_WORK"' EXIT
    trap 'exit 143' TERM INT
    "${isolate[@]}" bash "$root/Tests/Scripts/compose-test.sh" && exit 0 || exit $?
fi

work=$COMPOSE_TEST_WORK
say() { echo "$(date +%T) $*"; }
unset ${!MYRIAD_@}
finish() {
    podman rm --all --force --time 0 >/dev/null 2>&1 || true
    # Storage is mounted where it is used.
    umount --recursive "$work/storage" 2>/dev/null || true
}
fail() {
    say "FAILED: $*"
    for name in $(podman ps --all --format '{{.Names}}'); do
        echo "--- $name: $(podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$name")"
        podman logs "$name" 2>&1 | tail -n 15
    done
    echo "compose-test: FAILED: $*"
    exit 1
}
trap finish EXIT
trap 'exit 143' TERM INT

# --- podman, with everything in $work
ip link set lo up
umount --recursive /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || skip "no pure cgroup2 here"
mkdir "$work/storage" "$work/run"
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf TMPDIR=$work/run
cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
cgroups = "disabled"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
tmp_dir = "$work/run/libpod"
volume_path = "$work/volumes"
CONF
cat >"$CONTAINERS_STORAGE_CONF" <<CONF
[storage]
driver = "vfs"
runroot = "$work/run/storage"
graphroot = "$work/storage"
CONF
podman info >/dev/null || skip "podman does not run here"

# --- an image as cluster/Dockerfile makes it, of what this machine has
image=$work/image
mkdir -p "$image"/{bin,etc,tmp,proc,sys,dev,usr/local/bin,myriad/{configs,data,keys,runs}}
ldd "$MYRIAD" | grep -o '/[^ ]*' | sort -u | xargs -I{} cp --parents --dereference {} "$image/"
cp "$MYRIAD" "$image/usr/local/bin/myriad"
cp "$(command -v busybox)" "$image/bin/busybox"
for tool in sh cat head od rm sleep touch tr grep; do ln -s busybox "$image/bin/$tool"; done
chown -R 10001:10001 "$image/myriad"
chmod 1777 "$image/tmp"
changes=()
while read -r line; do changes+=(--change "$line"); done < <(grep -E '^(WORKDIR|USER|ENTRYPOINT)' cluster/Dockerfile | tail -n 3)
tar --directory "$image" --create . | podman import --quiet "${changes[@]}" --change "ENV PATH=/usr/local/bin:/bin" \
    --change "ENV OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-}" - myriad:latest >/dev/null || skip "podman imports no image here"
rm -rf "$image"
say "image of $(podman image inspect --format '{{.Size}}' myriad:latest | awk '{ print int($1 / 1e6) }') MB"
podman run --rm --entrypoint /usr/local/bin/myriad myriad:latest --version >/dev/null 2>"$work/error" ||
    skip "no container starts here: $(tail -n 1 "$work/error")"

# --- the sources as the file expects them: configs, data, and itself in cluster
mkdir -p "$work/source"/{cluster,configs,data}
cp cluster/compose.yaml cluster/Dockerfile "$work/source/cluster/"
bash Tests/Scripts/small-world.sh "$work"
mv "$work/world" "$work/source/data/world"
sed 's|directory: world|directory: data/world|; /^monitor:/d' "$work/job.yaml" >"$work/source/configs/job.yaml"
cd "$work/source"
begin=$(date +%s%N)
"$MYRIAD" train configs/job.yaml --run ../alone --quiet monitor.page=off train.max_steps=200 >../alone.log 2>&1 ||
    fail "myriad train"
# So many steps that one process needs about six seconds for them, on this machine and with this build.
steps=$((200 * 6000000000 / ($(date +%s%N) - begin)))
[ $steps -ge 300 ] || steps=300
sed -i "s/max_steps: 50/max_steps: $steps/" configs/job.yaml
"$MYRIAD" train configs/job.yaml --run ../alone-long --quiet monitor.page=off >../alone.log 2>&1 || fail "myriad train"
sed "s/max_steps: $steps/max_steps: 200/" configs/job.yaml >configs/short.yaml
digest() { "$MYRIAD" checkpoint "$1" --newest | tail -n 1; }

say "podman-compose up: 1 scheduler, 2 servers, 3 workers"
export MYRIAD_CONFIG=configs/short.yaml MYRIAD_RUN=small MYRIAD_SERVERS=2 MYRIAD_WORKERS=3
up() {
    podman-compose --file cluster/compose.yaml up --detach >"$work/up.log" 2>&1 || { cat "$work/up.log"; fail "podman-compose up"; }
    [ "$(podman ps --all --quiet | wc -l)" -eq 6 ] || fail "not six containers"
}
names() { podman ps --all --format '{{.Names}}'; }
ended() {
    for name in $(names); do
        [ "$(podman inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$name")" = "exited 0" ] || return 1
    done
}
# until_true SECONDS WHAT COMMAND…
until_true() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $what"
        sleep 0.5
    done
}
up
scheduler=$(podman ps --all --format '{{.Names}}' | grep scheduler)
until_true 120 "six containers that end with 0" ended
say "ok: all six containers ended with 0"
runs=$(podman volume inspect --format '{{.Mountpoint}}' cluster_runs)
[ "$(digest "$runs/small")" = "$(digest ../alone)" ] || fail "other bits than myriad train"
say "ok: $(digest ../alone), as myriad train"
podman logs "$scheduler" >"$work/scheduler.log" 2>&1
grep -q "listens on tcp://0.0.0.0:5555 (encrypted)" "$work/scheduler.log" || fail "traffic is not encrypted"
keys=$(podman volume inspect --format '{{.Mountpoint}}' cluster_keys)
[ "$(stat -c %a "$keys/own/scheduler.key" "$keys/token" | xargs)" = "600 600" ] || fail "others may read the keys"
say "ok: encrypted, with keys that the first start made"
worker=$(names | grep worker | head -n 1)
rm "$keys/ready"
podman start "$worker" >/dev/null
podman stop --time 60 "$worker" >/dev/null
[ "$(podman inspect --format '{{.State.ExitCode}}' "$worker")" -eq 143 ] ||
    fail "a container that waits for keys does not hear TERM: $(podman inspect --format '{{.State.ExitCode}}' "$worker")"
say "ok: a container that waits for keys ends at TERM"
podman-compose --file cluster/compose.yaml down --timeout 1 >/dev/null 2>&1 || fail "podman-compose down"
[ -z "$(names)" ] || fail "containers are left: $(names)"

say "a job of $steps steps whose scheduler is told to end in its midst"
export MYRIAD_CONFIG=configs/job.yaml MYRIAD_RUN=long
up
trains() { grep -q '"event":"started"' "$runs/long/metrics.jsonl" 2>/dev/null; }
until_true 60 "training" trains
podman kill --signal TERM "$scheduler" >/dev/null
until_true 120 "six containers that end with 0" ended
[ "$(podman inspect --format '{{.RestartCount}}' "$scheduler")" -ge 1 ] || fail "the scheduler was not started again"
podman logs "$scheduler" >"$work/scheduler.log" 2>&1
grep "goes on after step" "$work/scheduler.log" || fail "the job did not go on from a checkpoint"
[ "$(digest "$runs/long")" = "$(digest ../alone-long)" ] || fail "other bits than myriad train without a stop"
say "ok: all came back and went on to $(digest ../alone-long), as myriad train without a stop"
echo "compose-test: passed"
