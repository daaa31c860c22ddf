#!/usr/bin/env bash
# Makes a small world and a job that trains DIN on it: small-world.sh DIRECTORY writes DIRECTORY/{world,job.yaml}.
# The job uses much of the code (Dice, dropout, mini-batch-aware regularization, Adam) and takes about a second.
set -euo pipefail
cd "$(dirname "$0")/../.."
myriad=$(bash Tests/Scripts/program.sh)
cd "$1"
"$myriad" prepare synthetic --output world --users 60 --items 120 --categories 12 --impressions 40 >/dev/null
cat >job.yaml <<'YAML'
data: {directory: world, history: 12}
model:
  kind: din
  attention: {hidden: [8], activation: dice, normalization: softmax, dropout: 0.1}
  top: {hidden: [8], activation: dice, dropout: 0.1, input_norm: batch}
  embedding: {width: 4}
train: {batch: 64, micro_batch: 10, epochs: 1000, max_steps: 50, evaluations: 0}
rows: {optimizer: {kind: adam, rate: 0.01}, regularization: {kind: mba, lambda: 0.1}}
monitor: {page: "off"}
YAML
