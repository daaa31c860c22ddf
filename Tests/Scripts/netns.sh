# Hosts with own addresses on one machine, for the scripts that check a cluster between machines. Sourced, not run.
#
# Everything happens in namespaces that belong to the script alone (network, mounts, processes, host names), so two
# scripts at once do not meet, and nothing outlives them: when the script ends, however it ends, the kernel ends every
# process in them and takes the networks away. Root is not needed where users may make namespaces.
#   enter_namespaces "$@"        the first thing a script does
#   network NAME COUNT           hosts NAME-0 … NAME-(COUNT-1): 10.77.0.10 …, fd77::10 …, on a switch NAME-switch
#   on HOST COMMAND…             runs a command on a host
#   start NAME HOST ARGUMENTS…   starts the program there; $work/NAME.{log,pid,end}: output, process, code and time

# What stands before the program, say `taskset -c 0`.
wrap=()

skip() {
    echo "SKIPPED: $1"
    exit 77
}

# Starts this script again in namespaces of its own, where $work is a directory in memory.
enter_namespaces() {
    export LC_ALL=C
    # In a process namespace of its own the script is process 1.
    if [ -z "${MYRIAD_NAMESPACES:-}" ] || [ $$ -ne 1 ]; then
        local tool root=()
        for tool in ip nsenter unshare python3; do
            command -v "$tool" >/dev/null || skip "$tool is missing (Debian: iproute2, util-linux, python3)"
        done
        [ "$(id -u)" -eq 0 ] || root=(--user --map-root-user)
        local kinds=("${root[@]}" --mount --net --pid --uts --fork --kill-child --mount-proc)
        unshare "${kinds[@]}" ip link add name probe type bridge 2>/dev/null ||
            skip "namespaces and a bridge cannot be made here: run it as root, or allow users to make namespaces"
        [ -x "$myriad" ] || skip "$myriad is missing: build it first (swift build), or set MYRIAD to the program"
        [ -z "${KEEP:-}" ] || export KEEP="$(realpath -m "$KEEP")"
        MYRIAD_NAMESPACES=1 exec unshare "${kinds[@]}" bash "$script" "$@"
    fi
    unset MYRIAD_NAMESPACES
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    mount -t tmpfs tmpfs /run
    mkdir /run/netns /run/uts /run/myriad /run/myriad/home
    work=/run/myriad
    # Found while HOME is still the caller's, on which a choice of Pythons may depend.
    python=$(python3 -c 'import sys; print(sys.executable)')
    # Nobody's keys and settings but the script's own.
    export HOME="$work/home"
    cd "$work"
}

make_host() {
    ip netns add "$1"
    : >"/run/uts/$1"
    unshare --uts="/run/uts/$1" hostname "$1"
}

network() {
    local name=$1 count=$2 switch="$1-switch" number host
    make_host "$switch"
    ip -n "$switch" link add name bridge type bridge
    ip -n "$switch" link set bridge up
    for ((number = 0; number < count; number++)); do
        host="$name-$number"
        make_host "$host"
        ip link add name eth0 netns "$host" type veth peer name "port$number" netns "$switch"
        ip -n "$switch" link set "port$number" master bridge up
        ip -n "$host" link set lo up
        ip -n "$host" link set eth0 up
        ip -n "$host" address add "$(address "$number")/24" dev eth0
        ip -n "$host" address add "fd77::$((10 + number))/64" dev eth0 nodad
    done
}

# The address of a network's host number; every network has the same ones.
address() { echo "10.77.0.$((10 + $1))"; }

on() {
    local host=$1
    shift
    nsenter --net="/run/netns/$host" --uts="/run/uts/$host" -- "$@"
}

# Pulls the plug of a host's network: nobody hears a goodbye.
unplug() { ip -n "$1-switch" link set "port$2" down; }

start() {
    local name=$1 host=$2
    shift 2
    (
        code=0
        on "$host" bash -c 'echo $$ >"$0.pid"; exec "$@"' "$work/$name" "${wrap[@]}" "$myriad" "$@" \
            >"$work/$name.log" 2>&1 </dev/null || code=$?
        # Its second line is of the children of this shell, which a pipe would not have: of the process alone.
        times >"$work/$name.times"
        echo "$code $EPOCHREALTIME $(tail -n 1 "$work/$name.times")" >"$work/$name.part"
        mv "$work/$name.part" "$work/$name.end"
    ) &
}

has_ended() { [ -e "$work/$1.end" ]; }
# Seconds of processor that some processes have taken, when all have ended.
processor() {
    local name
    for name; do cut -d' ' -f3- "$work/$name.end"; done | tr 'ms ' ' ' |
        awk '{ for (i = 1; i < NF; i += 2) sum += $i * 60 + $(i + 1) } END { printf "%.2f", sum }'
}

code_of() { cut -d' ' -f1 "$work/$1.end" 2>/dev/null || echo -; }

# Waits until every one of some processes has ended; those that have not in so many seconds are killed.
await() {
    local seconds=$1 name until=$((SECONDS + $1)) late=0
    shift
    for name; do
        until has_ended "$name" || [ "$SECONDS" -ge "$until" ]; do sleep 0.05; done
        if ! has_ended "$name"; then
            late=1
            [ ! -e "$work/$name.pid" ] || kill -9 "$(cat "$work/$name.pid")" 2>/dev/null || true
            until has_ended "$name"; do sleep 0.05; done
        fi
    done
    return $late
}

# Waits until a process has written some words, at most a minute.
until_says() {
    local name=$1 words=$2 until=$((SECONDS + 60))
    until grep -qiE "$words" "$work/$name.log" 2>/dev/null; do
        if has_ended "$name" || [ "$SECONDS" -ge "$until" ]; then
            echo "$name does not say '$words':" >&2
            tail -n 5 "$work/$name.log" >&2
            return 1
        fi
        sleep 0.05
    done
}

# A small world and a config that uses much of the code, in $work.
small_world() {
    MYRIAD=$myriad bash "$here/small-world.sh" "$work"
    # Hosts have directories of their own.
    sed -i "s|directory: world|directory: $work/world|" "$work/job.yaml"
}

# What a process has written, without what the shell adds when it is killed.
said() { grep -v "^$here/netns.sh: line" "$work/$1.log"; }

# The SHA-256 of a run's newest checkpoint.
digest() { { "$myriad" checkpoint "$1" --newest 2>&1 || true; } | tail -n 1; }

# Keys of a cluster, and of a node that it allows.
make_keys() {
    "$myriad" keys create --keys "$1" >"$work/keys.log" 2>&1 || {
        cat "$work/keys.log"
        echo "FAILED: no keys could be made"
        exit 1
    }
}

# Keys of one more host, which the scheduler is told of: make_node_keys DIRECTORY SCHEDULER'S NAME
make_node_keys() {
    {
        "$myriad" keys create --keys "$1" --scheduler-key "$(cat "$2/scheduler.pub")" &&
            "$myriad" keys allow "$(cat "$1/node.pub")" --keys "$2" --name "$3"
    } >>"$work/keys.log" 2>&1 || {
        cat "$work/keys.log"
        exit 1
    }
}

# Seconds from a time to another, or to now.
since() { awk -v a="$1" -v b="${2:-$EPOCHREALTIME}" 'BEGIN { printf "%.1f", b - a }'; }

until_file_says() {
    local until=$((SECONDS + 60))
    until grep -qiE "$2" "$1" 2>/dev/null; do
        [ "$SECONDS" -lt "$until" ] || {
            echo "$1 does not say '$2': $(tail -n 3 "$1" 2>&1)" >&2
            return 1
        }
        sleep 0.05
    done
}
