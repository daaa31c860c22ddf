#!/usr/bin/env bash
# Runs a command that runs tests. If it has not ended after so many seconds, says which tests have not, and where their
# threads stand, and ends it: a test that hangs must not take the log with it.
#   bash Tests/Scripts/watched.sh SECONDS COMMAND…
set -euo pipefail
seconds=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Lets the toolchain's crash handler print every thread of a process that is sent SIGABRT.
export SWIFT_BACKTRACE=enable=yes,threads=all,color=no,interactive=no

# All processes that have come of one: SwiftPM gives tests a group of their own.
descendants() {
    local process
    for process in $(pgrep -P "$1" || true); do
        echo "$process"
        descendants "$process"
    done
}

# Sends a signal to the job and to all that has come of it.
send() {
    local all
    mapfile -t all < <(descendants "$job")
    kill "-$1" "$job" "${all[@]}" 2>/dev/null || true
}

# The processes of tests among them.
tests() { for process in $(descendants "$job"); do pgrep -f '\.xctest' | grep -x "$process" || true; done; }

# A job of its own, so that all of it can be ended at once. The log is a file: no process that is left over holds it open.
set -m
"$@" >"$log" 2>&1 &
job=$!
set +m
trap 'send TERM; exit 143' TERM INT HUP
tail -f -n +1 --pid=$job -s 0.3 "$log" &
reader=$!

deadline=$((SECONDS + seconds))
while kill -0 $job 2>/dev/null && [ $SECONDS -lt $deadline ]; do sleep 0.5; done
if ! kill -0 $job 2>/dev/null; then
    code=0
    wait $job || code=$?
    wait $reader || true
    exit $code
fi

echo "HANGS: '$*' has not ended after $seconds s; its processes:"
ps --ppid 2 -p 2 --deselect -o pid,ppid,pgid,stat,etime,wchan:24,args | cut -c1-200 || true
for process in $(tests); do kill -ABRT "$process" 2>/dev/null || true; done
# What is stuck goes on being so when it has been looked at.
for ((tenth = 0; tenth < 600; tenth++)); do
    [ -n "$(tests)" ] && ! grep -q '^Backtrace took' "$log" || break
    sleep 0.1
done
send KILL
wait $job 2>/dev/null || true
kill $reader 2>/dev/null || true
echo "tests that began and did not end:"
awk '/^◇ Test .* started\.$/ { sub(/^◇ Test /, ""); sub(/ started\.$/, ""); sub(/^case passing .* to /, ""); began[$0] = 1 }
    /^(✔|✘) Test .* (passed|failed) after / { sub(/^(✔|✘) Test /, ""); sub(/ (with [0-9]+ test cases? )?(passed|failed) after .*/, ""); delete began[$0] }
    END { for (name in began) print "  " name }' "$log"
exit 124
