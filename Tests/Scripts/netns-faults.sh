# What goes wrong between hosts, and what is said about it; sourced by netns-test.sh.
#
# Faults are waited for at the same time, each in a network of its own. A fault has rows: what happened, who has to say
# so, after how many seconds it did, its exit code, its words. Seconds are printed; only more than 30 of them fail.

longest=30

# Adds a row: row FAULT NAME SECONDS CODE VERDICT WORDS
row() {
    local words
    # The line that names the cause, or the last one.
    words=$(said "$2" | grep -m 1 -iE "^(error|FAILED|refused)" || said "$2" | grep -m 1 -iE -- "$6" ||
        said "$2" | tail -n 1) || true
    printf '%-40s %-12s %5s s  %3s  %-4s %s\n' "$1" "${2#*-}" "$3" "$4" "$5" "${words:0:200}" >>"$work/table"
}

# A process has to end with one of some codes, and to have said some words: ends FAULT NAME SINCE "CODES" WORDS
# Without words it only follows.
ends() {
    local seconds code verdict=ok
    await "$longest" "$2" || verdict=late
    code=$(code_of "$2")
    seconds=$(since "$3" "$(cut -d' ' -f2 "$work/$2.end")")
    [[ " $4 " == *" $code "* ]] || verdict=code
    [ -z "$5" ] || grep -qiE -- "$5" "$work/$2.log" || verdict=word
    awk -v s="$seconds" -v l="$longest" 'BEGIN { exit s < l }' && verdict=late
    row "$1" "$2" "$seconds" "$code" "$verdict" "$5"
    [ $verdict = ok ] || grudge "$1: $2 ($verdict): code $code, not one of $4, or not '$5':" "$2"
}

# A process has to say some words, and goes on: says FAULT NAME SINCE WORDS
says() {
    local until=$((SECONDS + longest)) verdict=word
    while [ "$SECONDS" -lt "$until" ]; do
        if grep -qiE -- "$4" "$work/$2.log"; then
            verdict=ok
            break
        fi
        has_ended "$2" && break
        sleep 0.1
    done
    row "$1" "$2" "$(since "$3")" "$(code_of "$2")" "$verdict" "$4"
    [ $verdict = ok ] || grudge "$1: $2 does not say '$4':" "$2"
}

grudge() {
    {
        echo "$1"
        said "$2" | tail -n 8 | cut -c 1-400 | sed 's/^/    /'
    } >>"$work/grudges"
}

# A scheduler that waits for one server and one worker, until it listens: waiting NAME NETWORK FLAGS…
waiting() {
    local name=$1 network=$2
    shift 2
    start "$name" "$network-0" scheduler "$work/job.yaml" "${endless[@]}" cluster.servers=1 --run "$work/run-$name" \
        --listen "$(address 0):5555" "$@"
    until_says "$name" "listens on"
}

# A cluster that trains without end: scheduler, server and two workers, each on a host of its own.
running() {
    local name=$1 number
    network "$name" 4
    waiting "$name-scheduler" "$name" "${secured[@]}" cluster.workers=2
    start "$name-server" "$name-1" server --scheduler "$there" "${secured[@]}"
    for number in 2 3; do
        start "$name-worker-$number" "$name-$number" worker --scheduler "$there" "${secured[@]}"
    done
    until_file_says "$work/run-$name-scheduler/metrics.jsonl" started
    sleep 1
}

fault_port() {
    network port 2
    local now=$EPOCHREALTIME wrong
    wrong=$(address 0):5999
    start port-worker port-1 worker --scheduler "$wrong" "${secured[@]}"
    start port-server port-1 server --scheduler "$wrong" "${secured[@]}"
    ends "no scheduler at that port" port-worker "$now" 69 "nobody listens on port 5999"
    ends "no scheduler at that port" port-server "$now" 69 "nobody listens on port 5999"
}

fault_nobody() {
    network nobody 2
    local now=$EPOCHREALTIME
    start nobody-worker nobody-1 worker --scheduler 10.77.0.99:5555 "${secured[@]}"
    start nobody-server nobody-1 server --scheduler 10.99.0.1:5555 "${secured[@]}"
    ends "an address that nobody has" nobody-worker "$now" 69 "no way to|does not answer at all"
    ends "a network without a route" nobody-server "$now" 69 "no way to|does not answer at all"
}

fault_unplugged() {
    network unplugged 2
    waiting unplugged-scheduler unplugged "${secured[@]}"
    unplug unplugged 0
    local now=$EPOCHREALTIME
    start unplugged-worker unplugged-1 worker --scheduler "$there" "${secured[@]}"
    ends "the scheduler's link is down" unplugged-worker "$now" 69 "no way to|does not answer at all"
}

fault_wrong_key() {
    network wrong 2
    mkdir "$work/wrong-keys"
    cp -a "$work/keys/." "$work/wrong-keys/"
    cp -a "$work/other-keys/scheduler.pub" "$work/wrong-keys/"
    waiting wrong-scheduler wrong "${secured[@]}"
    local now=$EPOCHREALTIME
    start wrong-worker wrong-1 worker --scheduler "$there" --keys "$work/wrong-keys"
    ends "another scheduler's key" wrong-worker "$now" 77 "does not hold the key .* scheduler\.pub"
    says "another scheduler's key" wrong-scheduler "$now" "10.77.0.11 was refused: $broken"
}

fault_unknown_node() {
    network unknown 2
    mkdir "$work/unknown-keys"
    cp -a "$work/other-keys/." "$work/unknown-keys/"
    cp -a "$work/keys/scheduler.pub" "$work/unknown-keys/"
    waiting unknown-scheduler unknown "${secured[@]}"
    local now=$EPOCHREALTIME key
    key=$(grep -oE '[0-9a-f]{64}' "$work/other-keys/node.pub")
    start unknown-worker unknown-1 worker --scheduler "$there" --keys "$work/unknown-keys"
    ends "a node that is not allowed" unknown-worker "$now" 77 "keys allow $key"
    says "a node that is not allowed" unknown-scheduler "$now" "10.77.0.11 with the key $key was refused"
}

fault_plain_node() {
    network plain 2
    waiting plain-scheduler plain "${secured[@]}"
    local now=$EPOCHREALTIME
    start plain-worker plain-1 worker --scheduler "$there" --insecure
    ends "a node without keys" plain-worker "$now" 77 "keys"
    says "a node without keys" plain-scheduler "$now" "10.77.0.11 was refused: $broken"
}

fault_keyed_node() {
    network keyed 2
    waiting keyed-scheduler keyed --insecure
    local now=$EPOCHREALTIME
    start keyed-worker keyed-1 worker --scheduler "$there" "${secured[@]}"
    ends "a scheduler without keys" keyed-worker "$now" 77 "does not encrypt, this node does"
    says "a scheduler without keys" keyed-scheduler "$now" "10.77.0.11 was refused: $broken"
}

fault_interface() {
    network inner 3
    waiting inner-scheduler inner "${secured[@]}"
    local now=$EPOCHREALTIME
    start inner-server inner-1 server --scheduler "$there" --listen 'tcp://127.0.0.1:*' "${secured[@]}"
    start inner-worker inner-2 worker --scheduler "$there" "${secured[@]}"
    ends "a server listens on 127.0.0.1" inner-scheduler "$now" "69 70" "127\.0\.0\.1.*--advertise"
    ends "a server listens on 127.0.0.1" inner-server "$now" "69" "127\.0\.0\.1.*--advertise"
    ends "a server listens on 127.0.0.1" inner-worker "$now" "0 69 70" "127\.0\.0\.1"
}

fault_advertise() {
    network far 3
    waiting far-scheduler far "${secured[@]}"
    local now=$EPOCHREALTIME
    start far-server far-1 server --scheduler "$there" --advertise 10.77.0.99 "${secured[@]}"
    start far-worker far-2 worker --scheduler "$there" "${secured[@]}"
    ends "a server is advertised elsewhere" far-worker "$now" "69 70" "shard 0 .*10.77.0.99.*--advertise"
    ends "a server is advertised elsewhere" far-scheduler "$now" "69 70" "shard 0 .*10.77.0.99"
    ends "a server is advertised elsewhere" far-server "$now" "0 69 70" ""
}

fault_two_names() {
    network names 3
    waiting names-scheduler names "${secured[@]}" --job blue
    local now=$EPOCHREALTIME
    start names-worker names-1 worker --scheduler "$there" "${secured[@]}" --job green
    ends "a node of another job" names-worker "$now" 65 "job 'green'.*job 'blue'"
    says "a node of another job" names-scheduler "$now" "names-1 .*job 'green'.*job 'blue'"
}

# Two clusters with own keys whose nodes were given each other's scheduler.
fault_two_clusters() {
    network two 4
    waiting two-scheduler two "${secured[@]}" --job blue
    start two-other two-1 scheduler "$work/job.yaml" "${endless[@]}" --run "$work/run-two-other" --job green \
        --listen "$(address 1):5555" --keys "$work/other-keys"
    until_says two-other "listens on"
    local now=$EPOCHREALTIME
    start two-worker two-2 worker --scheduler "$(address 1):5555" "${secured[@]}" --job blue
    start two-stray two-3 worker --scheduler "$there" --keys "$work/other-keys" --job green
    ends "clusters that point at each other" two-worker "$now" 77 "does not hold the key"
    ends "clusters that point at each other" two-stray "$now" 77 "does not hold the key"
    says "clusters that point at each other" two-scheduler "$now" "10.77.0.13 was refused: $broken"
    says "clusters that point at each other" two-other "$now" "10.77.0.12 was refused: $broken"
}

# A worker that was given the port of a shard.
fault_shard_port() {
    local kind flags name now
    for kind in keys plain; do
        name="shard$kind"
        flags=("${secured[@]}")
        [ $kind = keys ] || flags=(--insecure)
        network "$name" 3
        waiting "$name-scheduler" "$name" "${flags[@]}"
        start "$name-server" "$name-1" server --scheduler "$there" --listen "tcp://$(address 1):6000" "${flags[@]}"
        until on "$name-2" bash -c "</dev/tcp/$(address 1)/6000" 2>/dev/null; do sleep 0.1; done
        now=$EPOCHREALTIME
        start "$name-worker" "$name-2" worker --scheduler "$(address 1):6000" "${flags[@]}"
        ends "the port of a shard ($kind)" "$name-worker" "$now" "69 77" "no scheduler"
    done
}

fault_refusals() {
    network bare 2
    local now=$EPOCHREALTIME
    start bare-scheduler bare-0 scheduler "$work/job.yaml" --listen "$there" --run "$work/run-bare"
    start bare-server bare-1 server --scheduler "$there"
    start bare-worker bare-1 worker --scheduler "$there"
    ends "off loopback, neither keys nor plain" bare-scheduler "$now" 77 "keys create.*--insecure"
    ends "off loopback, neither keys nor plain" bare-server "$now" 77 "--insecure"
    ends "off loopback, neither keys nor plain" bare-worker "$now" 77 "--insecure"
}

fault_scheduler_dies() {
    running brain
    unplug brain 0
    local now=$EPOCHREALTIME silent="scheduler at .* silent"
    ends "the scheduler's host dies" brain-server "$now" "69 70" "$silent"
    ends "the scheduler's host dies" brain-worker-2 "$now" "69 70" "$silent"
    ends "the scheduler's host dies" brain-worker-3 "$now" "69 70" "$silent"
}

fault_server_dies() {
    running store
    unplug store 1
    local now=$EPOCHREALTIME
    ends "a server's host dies" store-scheduler "$now" "69 70" "server 0 on store-1 .*silent"
    ends "a server's host dies" store-worker-2 "$now" "0 69 70" "shard 0"
    ends "a server's host dies" store-worker-3 "$now" "0 69 70" "shard 0"
    ends "a server's host dies" store-server "$now" "69 70" "scheduler at .* silent"
}

fault_worker_dies() {
    running hand
    unplug hand 3
    local now=$EPOCHREALTIME
    ends "a worker's host dies" hand-scheduler "$now" "69 70" "worker [01] on hand-3 .*silent"
    ends "a worker's host dies" hand-server "$now" "0 69 70" ""
    ends "a worker's host dies" hand-worker-2 "$now" "0 69 70" ""
    ends "a worker's host dies" hand-worker-3 "$now" "69 70" "scheduler at .* silent"
}

# Runs some faults at the same time, then ends what is left of them.
together() {
    local fault
    for fault; do (
        "fault_$fault" || echo "fault $fault could not be made: see its logs with KEEP=DIR" >>"$work/grudges"
    ) & done
    wait
    for fault in "$work"/*.pid; do
        has_ended "$(basename "$fault" .pid)" || kill -9 "$(cat "$fault")" 2>/dev/null || true
    done
}

faults() {
    echo "== faults: who says what after how long =="
    endless=(train.max_steps=0 train.epochs=100000)
    secured=(--keys "$work/keys")
    there="$(address 0):5555"
    # A listener knows what was wrong unless the other side, which sees it too, hung up first.
    broken="(one side encrypts|it holds another public key|it hung up .*a node with other keys or none)"
    make_keys "$work/other-keys"
    : >"$work/table"
    : >"$work/grudges"
    together port nobody unplugged wrong_key unknown_node plain_node keyed_node interface advertise two_names \
        two_clusters shard_port refusals
    together scheduler_dies server_dies worker_dies
    sort -s -k1,40 "$work/table"
    [ ! -s "$work/grudges" ] || {
        cat "$work/grudges"
        complain "some faults are not named as they should be"
    }
}
