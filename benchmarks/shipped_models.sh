#!/usr/bin/env bash
# Trains the shipped models from the texts in DATA (its train/LANGUAGE) and the project's own, measures them on DATA/dev, and
# puts them into tinylm/models: bash benchmarks/shipped_models.sh DATA [NAME...]
# On one core, measuring included: en-64k 13 minutes, en-256k 37, en-1m 45. On two, before mixtures had a draft: en-2m 28, de-256k and fr-256k 5;
# en-24k 5 without measuring.
set -euo pipefail
data=${1:?usage: shipped_models.sh DATA [NAME...]}
shift
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(en-24k en-64k en-256k en-1m en-2m de-256k fr-256k shell-48k)
cd "$(dirname "$0")/.."

# Kind and passes over the text. en-24k has to fit an Uno beside its firmware: a mixture does not, nor the last 400 bytes.
declare -A how=(
  [en-24k]="--kind word --epochs 3" [en-64k]="--kind mixture --epochs 6" [en-256k]="--kind mixture --epochs 8"
  [en-1m]="--kind mixture --epochs 3.5" [en-2m]="--kind mixture --epochs 3.5"
  [de-256k]="--kind mixture --epochs 6" [fr-256k]="--kind mixture --epochs 6" [shell-48k]="--kind ngram"
)
# A fifth of Tatoeba's lines have Tom in them: without those nobody is offered Tom at each start of a line.
for name in "${!how[@]}"; do [ "$name" = shell-48k ] || how[$name]+=" --leave-out Tom"; done
own="tinylm's own texts (examples/texts), CC0 1.0"
tatoeba="Sentences from Tatoeba (tatoeba.org, through manythings.org/anki), CC BY 2.0"
train=$data/train

for name in "${names[@]}"; do
  language=${name%-*} budget=${name##*-}
  [ "$name" != en-24k ] || budget=24100
  held_out=$data/dev/$language
  case $language in
  en)
    texts=("$train/en/tatoeba.txt:1.5" "$train/en/common_voice.txt" "$train/en/clinc150.txt:2" "$train/en/taskmaster4.txt:0.5"
      "$train/en/topical_chat.txt" "$train/en/self_dialogue.txt:0.15" "$train/en/goemotions.txt:2.5" examples/texts/en:4)
    credits=("$tatoeba" "Mozilla Common Voice sentences, CC0 1.0" "CLINC150 (clinc/oos-eval), CC BY 3.0"
      "Google Taskmaster-4, CC BY 4.0" "Google GoEmotions, CC BY 4.0" "Amazon Topical-Chat, CDLA-Sharing 1.0"
      "Self-dialogue Corpus, University of Edinburgh, BSD 3-Clause" "$own")
    licence=CC-BY-4.0
    sets=()
    for set in ewt_answers ewt_reviews ewt_newsgroup mackenzie_soukoreff clinc150_heldout; do sets+=("$data/dev/en/$set.txt"); done
    ;;
  shell)
    texts=("runs/shell-learned.txt")
    credits=("$own") licence=CC0-1.0 held_out=runs/shell-held-out.txt sets=("runs/shell-held-out.txt")
    mkdir -p runs # every tenth line is kept out to measure with
    awk 'NR % 10 == 0' examples/texts/shell/commands.txt >runs/shell-held-out.txt
    awk 'NR % 10' examples/texts/shell/commands.txt >runs/shell-learned.txt
    ;;
  *)
    texts=("$train/$language/tatoeba.txt" "examples/texts/$language:4")
    credits=("$tatoeba" "$own") licence=CC-BY-4.0 sets=("$data/dev/$language/common_voice.txt")
    ;;
  esac
  attribution=()
  for credit in "${credits[@]}"; do attribution+=(--attribution "$credit"); done
  # shellcheck disable=SC2086  # options, not one word
  tinylm train "${texts[@]}" --language "$language" --held-out "$held_out" ${how[$name]} --licence "$licence" "${attribution[@]}" \
    --name "$name" --budget "$budget" --output "runs/$name"
  lines=() # the largest is slow to type with, and the common_voice texts are long
  case $name in en-2m) lines=(--lines 500) ;; de-* | fr-*) lines=(--lines 2000) ;; esac
  tinylm evaluate "${sets[@]}" "${lines[@]}" --model "runs/$name" --record --json >"benchmarks/results/evaluate-$name.json"
  mkdir -p "tinylm/models/$name"
  for file in model.json vocabulary.tsv model.tflite model.ngram metrics.json README.md; do
    [ ! -e "runs/$name/$file" ] || cp "runs/$name/$file" "tinylm/models/$name/"
  done
done
python benchmarks/report.py
