#!/usr/bin/env bash
# Checks `myriad launch --hosts` over two real ssh servers, which run for these seconds only on 127.0.0.11 and 127.0.0.12,
# with keys and configurations of their own in a temporary directory.
#   Tests/Scripts/ssh-test.sh           MYRIAD=path names the program (the newest build unless set)
# Ends with 0 when all is well, 1 when something is not, 77 when it cannot run here. Installs openssh-server if missing.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
skip() {
    echo "ssh-test: SKIPPED: $1"
    exit 77
}
program=$(bash "$root/Tests/Scripts/program.sh")
# Digests are compared: the same kernels on every host.
export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-Haswell}
unset "${!MYRIAD_@}" 2>/dev/null || true

# Installs the ssh server without letting it serve: a machine that had none does not get one.
install_sshd() {
    local problem=
    [ "$(id -u)" -eq 0 ] || skip "openssh-server is missing and only root can install it: apt-get install openssh-server"
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        made=1
    fi
    problem=$(bash "$root/cluster/install-packages.sh" openssh-server 2>&1 >/dev/null) || true
    [ -z "$made" ] || rm -f "$policy"
    [ -x "$sshd" ] || skip "${problem##*$'\n'}"
    [ ! -d /run/systemd/system ] || systemctl disable -q ssh >/dev/null 2>&1 || true
}
sshd=$(command -v sshd || echo /usr/sbin/sshd)
[ -x "$sshd" ] && command -v ssh >/dev/null && command -v ssh-keygen >/dev/null || install_sshd

work=$(mktemp -d)
made_run=
failures=0
launcher=
finish() {
    set +e
    [ -z "$launcher" ] || kill -9 "$launcher" 2>/dev/null
    for file in "$work"/*.pid; do [ ! -e "$file" ] || kill -CONT "$(cat "$file")" 2>/dev/null; done
    # Whatever was started carries this directory in its command line or environment.
    for process in /proc/[0-9]*; do
        [ "${process#/proc/}" != $$ ] || continue
        if tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx "MYRIAD_SSH_TEST=$work" ||
            tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -qF "$work"; then
            kill -9 "${process#/proc/}" 2>/dev/null
        fi
    done
    [ -z "$made_run" ] || rmdir /run/sshd 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
cd "$work"

# --- What is said ---
say() { echo "ssh-test: $1"; }
fail() {
    say "FAILED: $1"
    failures=$((failures + 1))
    [ $# -lt 2 ] || sed 's/^/    | /' <<<"$2"
}
expect() { # what, text, wanted...
    local what=$1 text=$2 wanted
    shift 2
    for wanted in "$@"; do
        grep -qF -- "$wanted" <<<"$text" || {
            fail "$what: nowhere says '$wanted'" "$text"
            return
        }
    done
    say "ok: $what"
}
# Waits until a command succeeds, at most so many seconds.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# --- Two hosts ---
ssh-keygen -q -t ed25519 -N '' -f user_key
ssh-keygen -q -t ed25519 -N '' -f other_key
cp user_key.pub authorized_keys
[ "$(id -u)" -ne 0 ] || [ -d /run/sshd ] || { mkdir -m 755 /run/sshd && made_run=1; }
# A file system that the second host does not share, where this machine lets a process have one of its own.
mkdir alone_dir
apart=()
unshare -m true 2>/dev/null && apart=(unshare -m sh -c "mount -t tmpfs none '$work/alone_dir' && exec \"\$@\"" sh)

start_host() { # number, port
    cat >"sshd_$1" <<END
ListenAddress 127.0.0.1$1:$2
HostKey $work/host_key_$1
AuthorizedKeysFile $work/authorized_keys
PidFile $work/sshd_$1.pid
UsePAM no
MaxStartups 100
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
LogLevel VERBOSE
END
    [ -f "host_key_$1" ] || ssh-keygen -q -t ed25519 -N '' -f "host_key_$1"
    local prefix=()
    [ "$1" != 2 ] || prefix=("${apart[@]}")
    env -u OPENBLAS_CORETYPE "${prefix[@]}" "$sshd" -D -f "$work/sshd_$1" -E "$work/sshd_$1.log" &
    disown
}
listens() { (exec 3<>"/dev/tcp/$1/$2"); }
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    ! listens 127.0.0.1 $port 2>/dev/null || continue
    start_host 1 $port
    start_host 2 $port
    if await 20 listens 127.0.0.11 $port && await 20 listens 127.0.0.12 $port; then break; fi
    port=
done
[ -n "${port:-}" ] || skip "the ssh servers do not start: $(cat sshd_1.log sshd_2.log 2>/dev/null | tail -n 3)"
for host in 1 2; do echo "[127.0.0.1$host]:$port $(cut -d' ' -f1,2 host_key_$host.pub)" >>known_hosts; done
client() { # name, key, known hosts
    cat >"$1" <<END
Host *
    User $(id -un)
    Port $port
    IdentityFile $work/$2
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile $work/$3
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
Host node2
    HostName 127.0.0.12
    HostKeyAlias [127.0.0.12]:$port
END
}
client ssh_config user_key known_hosts
client wrong_key other_key known_hosts
client strangers user_key nothing
ssh="ssh -F $work/ssh_config"
$ssh -o BatchMode=yes 127.0.0.11 true && $ssh -o BatchMode=yes node2 true ||
    skip "ssh does not get in: $(tail -n 3 sshd_1.log)"
say "two ssh servers listen on 127.0.0.11 and 127.0.0.12, port $port"

# --- A job ---
MYRIAD=$program bash "$root/Tests/Scripts/small-world.sh" "$work"
echo "cluster: {servers: 2, workers: 2, shards: 2}" >>job.yaml
endless=(train.max_steps=0 train.epochs=100000 checkpoint.last=false checkpoint.best=false)
cat >one.env <<END
# of the first host
OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE
MYRIAD_SSH_TEST=$work
WORDS=it's "one" \$HOME of two; # and more
END
sed 's/^WORDS=.*/WORDS=of the second/' one.env >two.env
cat >hosts <<END
# two hosts
127.0.0.11 slots=2 env=one.env
node2      slots=2 env=two.env   # by its name in ssh's configuration
END
digest() { "$program" checkpoint "$1" --newest | tail -n 1; }
launch() { "$program" launch --hosts hosts --ssh "$ssh" --wait 60 job.yaml "$@" 2>&1; }
# Starts a job that does not end by itself, as a group of its own.
begin() { # run, arguments...
    local run=$1
    shift
    setsid "$program" launch --hosts "${hosts:-hosts}" --ssh "$ssh" --wait 60 job.yaml --run "$run" "${endless[@]}" \
        "$@" >"$run.out" 2>&1 &
    launcher=$!
    await 60 grep -q '"event":"started"' "$run/metrics.jsonl" || fail "$run does not begin" "$(cat "$run.out")"
}
processes() { sed -n 's/^process \([0-9]*\),.*/\1/p' "$1"/logs/*.log; }
process() { sed -n 's/^process \([0-9]*\),.*/\1/p' "$1/logs/$2.log"; }
gone() { for one in $(processes "$1"); do [ ! -d "/proc/$one" ] || return 1; done; }
kill_launcher() {
    { kill -9 $launcher && wait $launcher; } 2>/dev/null || true
    launcher=
}
# The code of the launcher, which ends within a minute.
code() {
    await 60 eval "! kill -0 $launcher" || {
        fail "$1 does not end" "$(cat "$1.out")"
        kill -9 "$launcher"
    }
    local code=0
    wait "$launcher" || code=$?
    launcher=
    echo $code >code
}
leaves_nothing() { # what, run
    local began=$SECONDS
    if await 60 gone "$2"; then
        say "ok: $1: nothing is left of $(processes "$2" | wc -l) processes after $((SECONDS - began)) s"
    else
        fail "$1: processes are left" "$(ps -o pid,stat,args -p "$(processes "$2" | paste -sd,)")"
    fi
}

# --- What it does ---
"$program" train job.yaml --run alone >/dev/null 2>&1
wanted=$(digest alone)
said=$(launch --run spread) || fail "the job over two hosts ends with $?" "$said"
[ "$(digest spread)" = "$wanted" ] && say "ok: two hosts train to the same bits as one process: $wanted" ||
    fail "two hosts train to other bits: $(digest spread), not $wanted" "$said"
expect "it prints who runs where" "$said" "127.0.0.11: server 0, worker 0" "node2: server 1, worker 1" \
    "scheduler listens on tcp://127.0.0.1:"
for host in 1 2; do
    count=$(grep -c '^Starting session: command' "sshd_$host.log")
    # One to see whether ssh gets in, one each for a server and a worker.
    [ "$count" -eq 3 ] && say "ok: host $host was given a server and a worker" ||
        fail "host $host was given $count commands" "$(cat sshd_$host.log)"
done

# A shell runs what the dry run prints, with the standard input of each kept open.
"$program" launch --hosts hosts --ssh "$ssh" job.yaml --run by-hand --dry-run >dry
[ ! -e by-hand ] && [ "$(grep -vc '^#' dry)" -eq 5 ] || fail "the dry run" "$(cat dry)"
mkfifo held
sleep 300 >held &
holder=$!
number=0
grep -v '^#' dry >lines
while read -r line; do
    bash -c "$line" <held >"hand-$number.out" 2>&1 &
    hands[number++]=$!
done <lines
hand=0
wait "${hands[0]}" || hand=$?
kill $holder
[ $hand -eq 0 ] && [ "$(digest by-hand)" = "$wanted" ] &&
    say "ok: the commands of the dry run, run by hand, train to the same bits" ||
    fail "the commands of the dry run, run by hand, end with $hand" "$(cat dry hand-*.out)"

begin killed
arrived=$(tr '\0' '\n' <"/proc/$(process killed worker-0)/environ"; tr '\0' '\n' <"/proc/$(process killed worker-1)/environ")
expect "each host's environment arrives unharmed" "$arrived" "WORDS=it's \"one\" \$HOME of two; # and more" \
    "WORDS=of the second" "OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE"
kill_launcher
leaves_nothing "the launcher is killed with -9" killed
expect "the processes say why they end" "$(cat killed/logs/worker-1.log)" "the launcher is gone"

begin interrupted
kill -INT -- "-$launcher"
code interrupted
[ "$(cat code)" -eq 130 ] || fail "Ctrl-C ends with $(cat code)" "$(cat interrupted.out)"
leaves_nothing "Ctrl-C to the whole group" interrupted
for log in interrupted/logs/*.log; do
    ! grep -q "the launcher is gone" "$log" || fail "Ctrl-C cuts a process off instead of telling it" "$(cat "$log")"
done

begin told
kill -TERM -- "-$launcher"
code told
[ "$(cat code)" -eq 143 ] && digest told | grep -q sha256 && say "ok: TERM to the whole group ends in a checkpoint and 143" ||
    fail "TERM to the whole group ends with $(cat code)" "$(cat told.out; ls told/checkpoints)"
leaves_nothing "TERM to the whole group" told

begin shot
kill -9 "$(process shot worker-1)"
code shot
expect "a process that is killed on its host is named (code $(cat code))" "$(cat shot.out; cat code)" \
    "worker 1 was killed by a signal on node2" "its log: " 70
leaves_nothing "a process is killed on its host" shot

begin stopped cluster.silence=3
kill -STOP "$(process stopped worker-0)"
code stopped
expect "a process that is stopped on its host is named (code $(cat code))" "$(cat stopped.out)" "worker 0 has been silent"
leaves_nothing "a process is stopped on its host" stopped

# --- Keys ---
is_encrypted() { grep -Eq '"is_encrypted" ?: ?true' "$1/status.json"; }
said=$(launch --run keyed --keys - --dry-run)
expect "the dry run of a job with keys shows where they go, and none" "$said" "--keys - --lifeline" "hands them over"
! grep -Eq '[0-9a-f]{64}' <<<"$said" || fail "the dry run shows a key" "$said"
said=$(launch --run keyed --keys -) || fail "the job with keys of its own ends with $?" "$said"
[ "$(digest keyed)" = "$wanted" ] && is_encrypted keyed &&
    say "ok: encrypted with keys made for the job, handed over through ssh: the same bits" ||
    fail "the job with keys of its own is another: $(digest keyed)" "$said"
begin secret --keys -
for one in $(pgrep -f "$work") $(processes secret); do
    tr '\0' '\n' <"/proc/$one/cmdline"
    tr '\0' '\n' <"/proc/$one/environ"
done >shown 2>/dev/null || true
cat secret/logs/* secret.out >>shown
grep -q "MYRIAD_SSH_TEST=$work" shown && grep -q -- "--lifeline" shown || fail "no process was looked at" "$(cat shown)"
! grep -Eiq '\b[0-9a-f]{64}\b' shown && say "ok: no key is in a command line, an environment or a log" ||
    fail "a key can be seen" "$(grep -Ei '[0-9a-f]{64}' shown)"
kill_launcher
leaves_nothing "the launcher of a job with keys is killed with -9" secret
"$program" keys create --keys "$work/keys" >/dev/null
said=$(launch --run named --keys "$work/keys") || fail "the job with named keys ends with $?" "$said"
[ "$(digest named)" = "$wanted" ] && is_encrypted named &&
    say "ok: encrypted with keys of a directory of all hosts: the same bits" ||
    fail "the job with named keys is another: $(digest named)" "$said"
outside=$(ip -4 -o addr show scope global 2>/dev/null | awk '{ sub("/.*", "", $4); print $4; exit }')
if [ -n "$outside" ]; then
    said=$(launch --run outside --listen "$outside:*") || fail "the job over $outside ends with $?" "$said"
    [ "$(digest outside)" = "$wanted" ] && is_encrypted outside &&
        say "ok: over $outside it encrypts without being told to: the same bits" ||
        fail "the job over $outside is another: $(digest outside)" "$said"
    said=$(launch --run open --listen "$outside:*" --insecure) || fail "the job in plaintext ends with $?" "$said"
    [ "$(digest open)" = "$wanted" ] || fail "the job in plaintext is another: $(digest open)" "$said"
    expect "and with --insecure it says what it does" "$said" "PLAINTEXT"
else
    say "not checked, as this machine has no address but loopback: what leaves it is encrypted by itself"
fi

# --- What goes wrong ---
refused() { # what, hosts file, ssh, code, wanted...
    local what=$1 file=$2 client=$3 wanted=$4 run="refused-$RANDOM$RANDOM" began=$SECONDS got=0 text
    shift 4
    text=$("$program" launch --hosts "$file" --ssh "$client" "${extra[@]}" job.yaml --run "$run" 2>&1) || got=$?
    [ $got -eq "$wanted" ] || fail "$what: ends with $got, not $wanted" "$text"
    expect "$what: named after $((SECONDS - began)) s, code $got" "$text" "$@"
    await 60 gone "$run" || fail "$what: processes are left"
}
extra=(--wait 60)
sed 's/^node2 /127.0.0.13 /' hosts >absent
refused "a host where nobody listens" absent "$ssh" 69 "ssh to 127.0.0.13 failed" "Connection refused" \
    "start the ssh server of that host"
refused "a wrong ssh key" hosts "ssh -F $work/wrong_key" 69 "ssh to " "Permission denied (publickey)" "authorized_keys"
refused "an unknown host key" hosts "ssh -F $work/strangers" 69 "ssh to " "Host key verification failed" "known_hosts"
sed 's/^node2 /node2 program=\/nowhere\/myriad /' hosts >misplaced
refused "a program that is not there" misplaced "$ssh" 65 "cannot be started on node2 (code 127)" "/nowhere/myriad" \
    "program="
sed 's/^node2 /node2 dir=\/nowhere /' hosts >nowhere
refused "a directory that is not there" nowhere "$ssh" 65 "cannot be started on node2" "/nowhere" "dir="
sed 's/^node2 /node2 port=99999 solts=3 /; s/one.env/none.env/' hosts >wrong
refused "a hosts file that is wrong" wrong "$ssh" 65 "wrong:2: env=none.env: cannot be read" "wrong:3: port=99999" \
    "did you mean slots?"
extra+=(--workers 4)
refused "too few slots" hosts "$ssh" 65 "has 4 slots, and 2 servers and 4 workers need one each"
extra=()
kill -STOP "$(cat sshd_2.pid)"
refused "a host that hangs" hosts "$ssh" 69 "ssh to node2 failed" "timed out" "firewall"
kill -CONT "$(cat sshd_2.pid)"
extra=(--wait 60 --keys "$work/no-keys")
refused "keys that are not there" hosts "$ssh" 77 "$work/no-keys/scheduler.key does not exist" "myriad keys create"
if [ ${#apart[@]} -gt 0 ]; then
    mkdir -m 700 alone_dir/keys
    cp -p keys/* alone_dir/keys
    extra=(--wait 60 --keys "$work/alone_dir/keys")
    refused "keys that one host does not have" hosts "$ssh" 77 "server 1" "$work/alone_dir/keys/node.key does not exist"
    extra=(--wait 60)
    cd alone_dir && cp -r ../world ../hosts ../*.env ../job.yaml . && sed -i "s|directory: world|directory: $work/world|" job.yaml
    sed -i "s|^\(127[^ ]*\|node2\) |\1 dir=$work |" hosts
    refused "a run's directory that the host of a server does not share" hosts "$ssh" 65 "server 1" \
        "$work/alone_dir/refused-" "no such directory here" "share"
    cd ..
else
    say "not checked, as this machine gives no process a file system of its own: a directory that is not shared"
fi

if [ $failures -gt 0 ]; then
    say "FAILED: $failures of the checks above"
    exit 1
fi
say "PASSED: launch --hosts works over two ssh servers"
