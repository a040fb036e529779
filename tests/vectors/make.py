#!/usr/bin/env python3
"""Writes the golden vectors: small models, and what TensorFlow Lite Micro answers to 200 steps of each.

    python tests/vectors/make.py

A folder is a model (docs/DESIGN.md) and golden.json: the ids are (start + i * stride) % rows, the state is fed back from zeros,
`hash` is FNV-1a of every step's state and logits, `first` holds those of the first steps in hexadecimal. The n-gram has no
.tflite: its hash is by tinylm/ngram.py, and so is the part of a mixture's that is its n-gram's.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from models import TEXT, random_network, tiny_lines  # noqa: E402
from oracle import Oracle  # noqa: E402

from tinylm.corpus import ENGLISH_ALPHABET  # noqa: E402
from tinylm.flatbuffer import read_tflite  # noqa: E402
from tinylm.graph import Step, understand_step  # noqa: E402
from tinylm.kneser_ney import count_numbered, encode_text  # noqa: E402
from tinylm.mixture import hash_mixture  # noqa: E402
from tinylm.model import FIRST_WORD_ROW, Model, ModelInfo, write_model, write_whole  # noqa: E402
from tinylm.network import NetworkShape  # noqa: E402
from tinylm.ngram import hash_walk, parse_ngram, read_ngram  # noqa: E402
from tinylm.ngram_fit import fit_followers, fit_ngram  # noqa: E402
from tinylm.preparation import encode_characters, encode_words  # noqa: E402
from tinylm.reference import hash_steps  # noqa: E402
from tinylm.vocabulary import choose_vocabulary, count_words  # noqa: E402

START, STRIDE, STEPS, TOLD = 3, 7, 200, 4


def make_word_model(
    name: str = "tiny-word", text: Path = TEXT, rows: int = 198, sizes: tuple[int, int, int] = (12, 16, 8)
) -> Model:
    """Two rows more, 12 by 16 numbers of 8 bits, and a lexicon of the rest of the words: about 10 KB."""
    lines = [list(words) for words in tiny_lines(text)]
    counts = count_words(lines)
    vocabulary = choose_vocabulary(counts, rows=rows, lexicon_words=1000)
    rows = FIRST_WORD_ROW + vocabulary.levels.count(0)
    row_ids = vocabulary.row_ids()
    frequency = np.ones(rows)
    for word, row in row_ids.items():
        frequency[row] = counts[word]
    frequency[1] = sum(n for word, n in counts.items() if word not in row_ids)
    info = ModelInfo(name, "word", "en", "CC0-1.0", ENGLISH_ALPHABET, top_millinats=vocabulary.top_millinats)
    graph = random_network(
        NetworkShape("word", rows, *sizes), frequency, [encode_words(vocabulary)(line) for line in lines]
    )
    return Model(info, vocabulary.words, vocabulary.levels, graph)


def make_character_model() -> Model:
    """A GRU of 16 units over the English letters: about 3 KB."""
    info = ModelInfo("tiny-character", "character", "en", "CC0-1.0", ENGLISH_ALPHABET)
    ids = [encode_characters(ENGLISH_ALPHABET)(list(line)) for line in tiny_lines()]
    rows = FIRST_WORD_ROW + len(ENGLISH_ALPHABET)
    frequency = np.bincount(np.concatenate(ids), minlength=rows) + 1.0
    return Model(info, (), (), random_network(NetworkShape("character", rows, 0, 16), frequency, ids))


def make_ngram_model() -> Model:
    """Every word of the lines, and what follows them: under 8 KB."""
    fit = fit_ngram(encode_text(tiny_lines()), ENGLISH_ALPHABET, 8192)
    levels = {"top_millinats": fit.top_millinats, "level_millinats": fit.level_millinats}
    info = ModelInfo("tiny-ngram", "ngram", "en", "CC0-1.0", ENGLISH_ALPHABET, **levels)
    return Model(info, fit.words, fit.levels, b"", fit.packed.render())


def make_mixture_model() -> Model:
    """The word model, and beside it what follows a word in the lines."""
    words = make_word_model("tiny-mixture")
    counts = count_numbered(encode_text(tiny_lines()), words.numbers, words.ngram_rows)
    fit = fit_followers(counts, 4096)
    info = replace(words.info, kind="mixture", share_millinats=-350)
    return replace(words, info=info, ngram=fit.packed.render())


def golden(model: Model) -> dict:
    """What golden.json says."""
    record = {"model_hash": f"{model.hash:08x}", "start": START, "stride": STRIDE, "steps": STEPS}
    if model.info.kind == "ngram":
        value = hash_walk(read_ngram(parse_ngram(model.ngram)), START, STRIDE, STEPS)
        return record | {"made_by": "tinylm/ngram.py", "hash": f"{value:08x}", "first": []}
    step = understand_step(read_tflite(model.tflite))
    oracle, first = Oracle(step.graph, model.tflite), []

    def run(step: Step, row: int, state: object) -> object:
        result = oracle.run_step(step, row, state)
        if len(first) < TOLD:
            first.append({"id": row, "state": result.state.tobytes().hex(), "logits": result.logits.tobytes().hex()})
        return result

    if model.info.kind == "mixture":
        ngram = read_ngram(parse_ngram(model.ngram))
        value = hash_mixture(step, ngram, START, STRIDE, STEPS, run)
    else:
        value = hash_steps(step, START, STRIDE, STEPS, run)
    return record | {"made_by": "the tflite-micro wheel", "hash": f"{value:08x}", "first": first}


def main() -> None:
    """Write every folder."""
    int4 = make_word_model("tiny-word-int4", sizes=(13, 17, 4))
    for model in (make_word_model(), int4, make_character_model(), make_ngram_model(), make_mixture_model()):
        folder = HERE / model.info.name
        write_model(folder, model)
        write_whole(folder / "golden.json", (json.dumps(golden(model), indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
