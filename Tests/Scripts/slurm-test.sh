#!/usr/bin/env bash
# Tries cluster/slurm.sbatch under a real Slurm: a controller and four emulated nodes on this machine, for this test only.
#   bash Tests/Scripts/slurm-test.sh          (MYRIAD=path of the program; the newest build unless set)
# Installs Debian's Slurm when it is missing (about 10 s, 60 MB). Ends with a line of verdict: 0 passed, 1 failed, 77 skipped.
# Everything runs in namespaces of its own: all ports are free there, and no process outlives this script.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
export PATH=$PATH:/usr/sbin:/sbin
skip() { echo "slurm-test: skipped: $*"; exit 77; }

if [ -z "${SLURM_TEST_WORK:-}" ]; then
    MYRIAD=$(bash Tests/Scripts/program.sh)
    packages=(slurmctld slurmd slurm-client munge iproute2)
    if ! { command -v slurmctld && command -v slurmd && command -v sbatch && command -v munged && command -v ip; } >/dev/null; then
        echo "installing ${packages[*]}"
        problem=$(bash cluster/install-packages.sh "${packages[@]}" 2>&1 >/dev/null) || skip "${problem##*$'\n'}"
    fi
    isolate=(unshare --pid --fork --mount-proc --net --kill-child)
    [ "$(id -u)" -eq 0 ] || isolate+=(--user --map-root-user)
    "${isolate[@]}" true 2>/dev/null || skip "no namespaces here: ${isolate[*]} is refused"
    SLURM_TEST_WORK=$(mktemp -d /tmp/myriad-slurm.XXXXXX)
    export MYRIAD SLURM_TEST_WORK
    trap 'rm -rf "$SLURM_TEST_WORK"' EXIT
    trap 'exit 143' TERM INT
    "${isolate[@]}" bash "$root/Tests/Scripts/slurm-test.sh" && exit 0 || exit $?
fi

work=$SLURM_TEST_WORK
# Four addresses that are not loopback's, one for each node.
ip link set lo up
for node in 0 1 2 3; do ip address add "10.77.0.1$node/24" dev lo; done
unset ${!MYRIAD_@} ${!SLURM_@} ${!SBATCH_@}
export SLURM_CONF=$work/slurm.conf OPENBLAS_NUM_THREADS=1
finish() {
    scancel --quiet --user="$(id -un)" 2>/dev/null || true
    for pid in "$work"/*.pid; do kill "$(cat "$pid")" 2>/dev/null || true; done
}
trap finish EXIT
trap 'exit 143' TERM INT
say() { echo "$(date +%T) $*"; }
fail() {
    say "FAILED: $*"
    for log in "$work"/*.log "$work"/runs/*/logs/*.log; do
        [ ! -s "$log" ] || { echo "--- ${log#"$work"/}"; grep -v 'mpi/pmix\|PMIx' "$log" | tail -n 25; }
    done
    echo "slurm-test: FAILED: $*"
    exit 1
}
# until_true SECONDS WHAT COMMAND…
until_true() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $what"
        sleep 0.2
    done
}

# --- Slurm
chmod 755 "$work"
mkdir -m 700 "$work/munge"
mkdir "$work/state" "$work/spool"
(umask 077 && head -c 128 /dev/urandom >"$work/munge/key")
munged --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munged.pid" \
    --log-file="$work/munge/log" --seed-file="$work/munge/seed"
host=$(hostname -s)
cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host(10.77.0.10)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
# A job that comes back waits until its old credential has expired: two minutes, unless said otherwise.
AuthInfo=socket=$work/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool/%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=500
MpiDefault=none
ReturnToService=2
SchedulerParameters=bf_interval=1
SlurmdParameters=config_overrides
NodeName=node[0-3] NodeHostname=$host NodeAddr=10.77.0.[10-13] Port=[17001-17004] CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes=node[0-3] Default=YES MaxTime=INFINITE State=UP
CONF
slurmctld -c
for node in node0 node1 node2 node3; do slurmd -N $node; done
all_idle() { [ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" = 4 ]; }
until_true 60 "four idle nodes" all_idle
say "Slurm $(sinfo --version | cut -d' ' -f2) runs with $(sinfo --noheader --format=%D) nodes"

# --- a job to run, and what it has to come to
cd "$work"
bash "$root/Tests/Scripts/small-world.sh" "$work"
digest() { "$MYRIAD" checkpoint "$1" --newest | tail -n 1; }
"$MYRIAD" train job.yaml --run alone-200 --quiet train.max_steps=200 >alone.log 2>&1 || fail "myriad train"

# The program as the jobs see it: it notes who was started as what, and comes the later the lower its rank is.
cat >"$work/myriad" <<SCRIPT
#!/usr/bin/env bash
case \$1 in
server | worker)
    echo "\${SLURM_JOB_ID} \$1 \${SLURM_STEP_ID:-none} \${SLURM_PROCID:-none} \$\$ \$SLURMD_NODENAME" >>"$work/starts"
    sleep "0.\$((8 - SLURM_PROCID * 2))" ;;
esac
exec "$MYRIAD" "\$@"
SCRIPT
chmod 755 "$work/myriad"
# The memory is the job's: of two steps that each take what they find, the second would wait for ever.
submit() { MYRIAD=$work/myriad MYRIAD_SERVERS=2 sbatch --parsable --nodes=4 --ntasks=5 --mem=1000 "$@"; }
field() { scontrol show job "$1" --oneliner | grep -o " $2=[^ ]*" | cut -d= -f2; }
is() { [ "$(field "$1" JobState)" = "$2" ]; }
over() { case $(field "$1" JobState) in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL) true ;; *) false ;; esac; }
# How often a run's training has begun, and whether it has more often than so.
starts() { grep -s -c '"event":"started"' "$1/metrics.jsonl" || true; }
started() { [ "0$(starts "$1")" -gt "${2:-0}" ]; }

say "1. a job of 2 servers and 3 workers"
job=$(submit "$root/cluster/slurm.sbatch" job.yaml train.max_steps=200)
until_true 60 "job $job to end" over "$job"
[ "$(field "$job" JobState) $(field "$job" ExitCode)" = "COMPLETED 0:0" ] || fail "job $job: $(field "$job" JobState)"
[ "$(digest "runs/slurm-$job")" = "$(digest alone-200)" ] || fail "other bits than myriad train"
say "ok: completed, $(digest alone-200), as myriad train"
nodes=$(cut -d' ' -f6 starts | sort -u | wc -l)
[ "$(wc -l <starts) $nodes" = "5 4" ] || fail "not 5 processes on 4 nodes: $(cat starts)"
while read -r _ role step rank pid _; do
    grep -q "\"$role $rank joined from [^\"]*process $pid\"" "runs/slurm-$job/status.json" ||
        fail "task $rank of step $step is not $role $rank (process $pid)"
done <starts
say "ok: every rank is the number that Slurm gave the task"
[ "$(stat -c %a "runs/slurm-$job/job-keys" "runs/slurm-$job/job-keys/scheduler.key" | xargs)" = "700 600" ] ||
    fail "the job's keys: $(ls -la "runs/slurm-$job/job-keys")"
say "ok: the job made keys for itself that nobody else can read"

say "2. a job that was stopped before, and meets its time limit again"
: >starts
run=runs/twice
# It has no end of its own, however fast this machine is, until it has been stopped.
sed 's/epochs: 1000, max_steps: 50/epochs: 1000000, max_steps: 0/' job.yaml >twice.yaml
"$MYRIAD" train twice.yaml --run $run --quiet --time-limit 0.5 >twice.log 2>&1 || [ $? -eq 143 ] ||
    fail "myriad train with a time limit"
# On a busy machine a job that is told to stop is SIGNALING when it asks; here it always is.
mkdir bin
cat >bin/squeue <<SCRIPT
#!/usr/bin/env bash
"$(command -v squeue)" "\$@" | sed 's/^RUNNING$/SIGNALING/'
SCRIPT
chmod 755 bin/squeue
before=0$(starts "$run")
job=$(MYRIAD_RUN=$work/$run PATH=$work/bin:$PATH submit --time=1 --signal=B:TERM@40 "$root/cluster/slurm.sbatch" twice.yaml)
until_true 60 "job $job to train" started "$run" "$before"
# Until the limit comes the workers get an eightieth of their time: every step has to be made again below.
workers=$(awk '$2 == "worker" { print $5 }' starts)
told() { grep -q "told to stop" "slurm-$job.log"; }
crawl_until() {
    local pause=$1
    shift
    kill -STOP $workers 2>/dev/null && sleep "$pause"
    kill -CONT $workers 2>/dev/null && sleep 0.05
    "$@"
}
until_true 90 "Slurm's signal before the time limit" crawl_until 4 told
say "Slurm told it to stop"
pending() { is "$job" PENDING && [ "$(field "$job" Restarts)" = 1 ]; }
until_true 60 "job $job in the queue again" pending
reached=$(find "$run/checkpoints" -name 'step-*' | sort | tail -n 1 | grep -o '[0-9]*$')
[ "$((10#${reached:-0}))" -gt 0 ] || fail "a checkpoint at step '$reached'"
sed -i "s/max_steps: 0/max_steps: $((10#$reached + 50))/" twice.yaml
scontrol update "JobId=$job" TimeLimit=30
say "ok: checkpoint at step $((10#$reached)), and back in the queue by itself"
"$MYRIAD" train twice.yaml --run alone --quiet >alone.log 2>&1 || fail "myriad train"
until_true 90 "job $job to end" over "$job"
[ "$(field "$job" JobState) $(field "$job" ExitCode)" = "COMPLETED 0:0" ] || fail "job $job: $(field "$job" JobState)"
grep -q "start 2:" "slurm-$job.log" || fail "the job did not start twice"
[ "$(digest "$run")" = "$(digest alone)" ] || fail "other bits than myriad train without a stop"
say "ok: went on and completed, $(digest alone), as myriad train without a stop"

say "3. a job that is canceled"
job=$(submit "$root/cluster/slurm.sbatch" job.yaml train.max_steps=100000000)
until_true 60 "job $job to train" started "runs/slurm-$job"
scancel "$job"
until_true 60 "job $job to be canceled" is "$job" CANCELLED
until_true 60 "idle nodes" all_idle
left() { find /proc/[0-9]* -maxdepth 1 -name exe -lname "$MYRIAD" 2>/dev/null | grep -q . && return 1 || return 0; }
until_true 60 "the end of every process" left
[ -z "$(squeue --noheader)" ] && [ "$(field "$job" Restarts)" = 0 ] || fail "the canceled job is queued again"
find "runs/slurm-$job/checkpoints" -name 'step-*' | grep -q . || fail "no checkpoint of the canceled job"
say "ok: canceled with a checkpoint; no process and no queued job is left"
echo "slurm-test: passed"
