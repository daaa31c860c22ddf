#!/usr/bin/env bash
# Scrapes a page with a real Prometheus and prints what it stored, as JSON: does Prometheus see this cluster?
#   cluster/scrape.sh 127.0.0.1:7165 [file with the page's token]
# Prometheus runs for these seconds only, on a free port of 127.0.0.1, with its data in a temporary directory.
set -euo pipefail
target=${1:?usage: cluster/scrape.sh HOST:PORT [TOKEN_FILE]}
token=${2:+$(realpath "$2")}
bin=$("$(dirname "$0")/install-prometheus.sh")

work=$(mktemp -d)
prometheus=
finish() {
    if [ -n "$prometheus" ]; then
        kill "$prometheus" 2>/dev/null || true
        wait "$prometheus" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
{
    echo "global: {scrape_interval: 1s, scrape_timeout: 1s}"
    echo "scrape_configs:"
    echo "  - job_name: myriad"
    [ -z "$token" ] || echo "    authorization: {type: Bearer, credentials_file: '$token'}"
    echo "    static_configs: [{targets: ['$target']}]"
} >"$work/prometheus.yml"

query() { "$bin/promtool" query instant -o json "http://127.0.0.1:$port" "$1" 2>/dev/null; }
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    "$bin/prometheus" --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
        --web.listen-address="127.0.0.1:$port" --log.level=warn >"$work/log" 2>&1 &
    prometheus=$!
    for _ in $(seq 60); do
        # A port that another program has ends the process.
        kill -0 "$prometheus" 2>/dev/null || break
        case $(query 'up == 1 and scrape_samples_scraped > 0') in
        *'"metric"'*)
            query '{job="myriad"}'
            exit 0
            ;;
        esac
        sleep 0.5
    done
    if kill -0 "$prometheus" 2>/dev/null; then
        echo "scrape: Prometheus gets nothing from http://$target/metrics: is the job running, and the address right?" >&2
        cat "$work/log" >&2
        exit 69
    fi
    prometheus=
done
echo "scrape: Prometheus does not start:" >&2
cat "$work/log" >&2
exit 70
