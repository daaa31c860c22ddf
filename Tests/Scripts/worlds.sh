#!/usr/bin/env bash
# What each model was invented for, on worlds whose click probability is known: test AUC of DIN, DIEN, DSIN and BST with three
# seeds beside the Bayes AUC, and DIEN's layers beside one another where interests drift. Takes some minutes on 2 cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash cluster/setup.sh
swift build -c release
myriad=.build/release/myriad
threads=$(nproc)
for world in order drift sessions; do
    [ -f "data/$world/dataset.yaml" ] || "$myriad" prepare synthetic --world "$world" --output "data/$world"
    echo
    echo "== $world =="
    "$myriad" compare configs/worlds/*.yaml --data "data/$world" --seeds 3 --quiet --set cluster.threads="$threads" \
        --output "runs/world-$world"
done
for evolution in gru aigru agru; do
    echo
    echo "== drift: DIEN with $evolution =="
    "$myriad" compare configs/worlds/dien.yaml --data data/drift --seeds 3 --quiet --set cluster.threads="$threads" \
        --set model.evolution="$evolution" --output "runs/world-drift-$evolution"
done
for weight in 0 0.3; do
    [ -f data/drift-600/dataset.yaml ] ||
        "$myriad" prepare synthetic --world drift --users 600 --output data/drift-600
    echo
    echo "== drift, 600 users: DIEN with an auxiliary loss of weight $weight =="
    "$myriad" compare configs/worlds/dien.yaml --data data/drift-600 --seeds 5 --quiet \
        --set cluster.threads="$threads" --set model.auxiliary.weight="$weight" --set train.batch=128 \
        --set train.micro_batch=128 --set train.epochs=30 --set train.patience=0 --set dense.schedule.every=600 \
        --output "runs/world-auxiliary-$weight"
done
