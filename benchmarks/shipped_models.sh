#!/usr/bin/env bash
# Trains the shipped models from the texts in DATA (its train/en) and the project's own, measures them on DATA/dev/en, and
# puts them into tinylm/models: bash benchmarks/shipped_models.sh DATA [NAME...]
set -euo pipefail
data=${1:?usage: shipped_models.sh DATA [NAME...]}
shift
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(en-256k en-64k en-24k)
cd "$(dirname "$0")/.."
en=$data/train/en
texts=("$en/tatoeba.txt:1.5" "$en/common_voice.txt" "$en/clinc150.txt:2" "$en/taskmaster4.txt:0.5" "$en/topical_chat.txt"
  "$en/self_dialogue.txt" "$en/goemotions.txt:1.5" examples/texts/en:4)
options=(--language en --held-out "$data/dev/en" --epochs 3 --licence CC-BY-4.0
  --attribution "Sentences from Tatoeba (tatoeba.org, through manythings.org/anki), CC BY 2.0"
  --attribution "Mozilla Common Voice sentences, CC0 1.0"
  --attribution "CLINC150 (clinc/oos-eval), CC BY 3.0"
  --attribution "Google Taskmaster-4, CC BY 4.0"
  --attribution "Google GoEmotions, CC BY 4.0"
  --attribution "Amazon Topical-Chat, CDLA-Sharing 1.0"
  --attribution "Self-dialogue Corpus, University of Edinburgh, BSD 3-Clause"
  --attribution "tinylm's own texts (examples/texts/en), CC0 1.0")
sets=()
for set in ewt_answers ewt_reviews ewt_newsgroup mackenzie_soukoreff clinc150_heldout; do sets+=("$data/dev/en/$set.txt"); done
for name in "${names[@]}"; do
  budget=${name#en-}
  tinylm train "${texts[@]}" "${options[@]}" --name "$name" --budget "$budget" --output "runs/$name"
  tinylm evaluate "${sets[@]}" --model "runs/$name" --record --json >"benchmarks/results/evaluate-$name.json"
  mkdir -p "tinylm/models/$name"
  cp runs/"$name"/{model.json,vocabulary.tsv,model.tflite,metrics.json,README.md} "tinylm/models/$name/"
done
python benchmarks/report.py
