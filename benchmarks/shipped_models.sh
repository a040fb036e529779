set -e
cd /work/main
D=../shared/data
EN="$D/train/en/tatoeba.txt:1.5 $D/train/en/common_voice.txt $D/train/en/clinc150.txt:2 $D/train/en/taskmaster4.txt:0.5 $D/train/en/topical_chat.txt $D/train/en/self_dialogue.txt $D/train/en/goemotions.txt:1.5 examples/texts/en:4"
common=(--language en --held-out $D/dev/en --licence CC-BY-4.0 --attribution "Sentences from Tatoeba (tatoeba.org, through manythings.org/anki), CC BY 2.0" --attribution "Mozilla Common Voice sentences, CC0 1.0" --attribution "CLINC150 (clinc/oos-eval), CC BY 3.0" --attribution "Google Taskmaster-4, CC BY 4.0" --attribution "Google GoEmotions, CC BY 4.0" --attribution "Amazon Topical-Chat, CDLA-Sharing 1.0" --attribution "Self-dialogue Corpus, University of Edinburgh, BSD 3-Clause" --attribution "tinylm's own texts (examples/texts/en), CC0 1.0")
nice -n 12 tinylm train $EN "${common[@]}" --name en-256k --budget 256K --epochs 4 -o runs/en-256k
nice -n 12 tinylm train $EN "${common[@]}" --name en-64k --budget 64K --epochs 3 -o runs/en-64k
nice -n 12 tinylm train $EN "${common[@]}" --name en-24k --budget 24K --epochs 3 -o runs/en-24k
