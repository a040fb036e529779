#!/usr/bin/env bash
# Trains packed n-grams from the texts of trigram.py in DATA and measures them on DATA/dev/en: bash benchmarks/ngram.sh DATA [SIZE...]
set -euo pipefail
data=${1:?usage: ngram.sh DATA [SIZE...]}
shift
sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(24k 64k 256k 1m)
cd "$(dirname "$0")/.."
texts=() sets=()
for text in tatoeba common_voice clinc150 taskmaster4 topical_chat self_dialogue goemotions; do texts+=("$data/train/en/$text.txt:1"); done
for set in ewt_answers ewt_reviews ewt_newsgroup mackenzie_soukoreff clinc150_heldout; do sets+=("$data/dev/en/$set.txt"); done
for size in "${sizes[@]}"; do
  name=ngram-$size results=benchmarks/results/evaluate-ngram-$size
  tinylm train "${texts[@]}" --held-out "$data/dev/en" --kind ngram --name "en-$name" --budget "$size" --output "runs/$name" --restart
  tinylm evaluate "${sets[@]}" --model "runs/$name" --json >"$results.json"
  tinylm evaluate "${sets[@]}" --model "runs/$name" --lines 500 --json >"$results-500.json"
done
python benchmarks/report.py
