#!/usr/bin/env bash
# Trains Base, DIN, DIEN, DSIN and BST on MovieLens-100K with a local cluster of 1 scheduler, 2 servers and 2 workers.
# Without a way to fetch the data it says so and takes the synthetic world. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."

bash cluster/setup.sh fetch
swift build -c release
myriad=.build/release/myriad

data=data/movielens
if [ ! -f "$data/dataset.yaml" ]; then
    if bash cluster/fetch-movielens.sh data/raw/ml-100k; then
        format=movielens
        [ -f data/raw/ml-100k/u.data ] || format=recbole
        "$myriad" prepare "$format" data/raw/ml-100k --output "$data"
    else
        data=data/synthetic
        echo "MovieLens-100K could not be fetched: this demo runs on SYNTHETIC data instead" >&2
        [ -f "$data/dataset.yaml" ] || "$myriad" prepare synthetic --output "$data"
    fi
fi

for model in base din dien dsin bst; do
    number=1
    while [ -e "runs/demo-$model-$number" ]; do number=$((number + 1)); done
    run=runs/demo-$model-$number
    echo
    echo "== $model on $data: 1 scheduler, 2 servers, 2 workers =="
    "$myriad" launch "configs/$model.yaml" "data.directory=$data" --servers 2 --workers 2 --run "$run"
    echo "scored again from the checkpoint by myriad evaluate:"
    "$myriad" evaluate "$run"
done
echo
cat <<EOF
Where to look:
  $myriad dashboard $run          the page of the last run
  $myriad status $run             the same for the terminal; also shards, workers, hotkeys, top
  $myriad report runs/demo-*-$number -o report.html   the runs side by side in one file
  runs/demo-*/                    config.yaml, metrics.jsonl, status.json, logs/, checkpoints/
Next: $myriad --help, configs/reference.yaml
EOF
