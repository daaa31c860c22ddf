#!/usr/bin/env bash
# Draws what regularization does to validation AUC by quarter epochs: none, l2_touched, mini-batch aware (coupled and
# decoupled). usage: Tests/Scripts/regularization.sh [DATASET] [PICTURE]; the dataset of `make demo` unless given.
set -euo pipefail
cd "$(dirname "$0")/../.."
data=${1:-data/movielens}
picture=${2:-regularization.svg}
epochs=${EPOCHS:-6}
coupled=${COUPLED:-30}
decoupled=${DECOUPLED:-7000}
touched=${TOUCHED:-0.01}
myriad=$(bash Tests/Scripts/program.sh release)
[ -f "$data/dataset.yaml" ] || { echo "$data is no dataset: run make demo, or myriad prepare" >&2; exit 2; }
runs=runs/regularization
rm -rf "$runs"
mkdir -p "$runs"
train() {
    echo "== $1 =="
    "$myriad" train configs/din.yaml "data.directory=$data" data.test= "train.epochs=$epochs" train.evaluations=4 \
        checkpoint.best=false checkpoint.last=false "rows.regularization=$2" --quiet --run "$runs/$1"
}
train none "{kind: none}"
train l2_touched "{kind: l2_touched, mode: coupled, lambda: $touched}"
train mba_coupled "{kind: mba, mode: coupled, lambda: $coupled}"
train mba_decoupled "{kind: mba, mode: decoupled, lambda: $decoupled}"
"$myriad" curves "$runs"/none "$runs"/l2_touched "$runs"/mba_coupled "$runs"/mba_decoupled --output "$picture"
