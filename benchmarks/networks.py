#!/usr/bin/env python3
"""Writes the networks that `tinylm bench` is shown on: GRUs of 96 symbols, word networks of 4,000 and 20,000 rows.

    python benchmarks/networks.py FOLDER
    tinylm bench --model FOLDER/gru-128.tflite --model FOLDER/word-36-128

The weights are random because a count does not depend on them; the models are made in a second, without TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from tinylm.calibration import calibration_rows
from tinylm.catalogue import choose_model
from tinylm.corpus import ENGLISH_ALPHABET, read_lines, word_finder
from tinylm.flatbuffer import write_tflite
from tinylm.model import FIRST_WORD_ROW, Model, ModelInfo, write_model, write_whole
from tinylm.network import NetworkShape, initial_weights
from tinylm.preparation import encode_words
from tinylm.quantize import quantize
from tinylm.vocabulary import choose_vocabulary, count_words

HERE = Path(__file__).parent
TEXTS = HERE.parent / "examples" / "texts" / "en"
SYMBOLS, ROWS = 96, 4000
ENDINGS = {8: "", 4: "-int4"}  # of a name, by bits of a weight


def make_character_graph(hidden: int, weight_bits: int) -> bytes:
    """The .tflite of a GRU over 96 symbols."""
    shape = NetworkShape("character", SYMBOLS, 0, hidden, weight_bits)
    weights = initial_weights(shape, 1, np.zeros(SYMBOLS))
    ids = np.random.default_rng(1).integers(1, SYMBOLS, (20, 20))
    return write_tflite(quantize(shape, weights, ids))


def make_word_model(embedding: int, hidden: int, weight_bits: int) -> Model:
    """4,000 rows of the example texts' words, and a lexicon of the rest."""
    words_of = word_finder(ENGLISH_ALPHABET)
    lines = [words_of(line) for path in sorted(TEXTS.glob("*.txt")) for line in read_lines(path)]
    counts = count_words([words for words in lines if words])
    vocabulary = choose_vocabulary(counts, rows=ROWS - FIRST_WORD_ROW, lexicon_words=100_000)
    row_ids, frequency = vocabulary.row_ids(), np.ones(ROWS)
    for word, row in row_ids.items():
        frequency[row] = counts[word]
    shape = NetworkShape("word", ROWS, embedding, hidden, weight_bits)
    weights = initial_weights(shape, 1, np.log(frequency / frequency.sum()))
    ids = [encode_words(vocabulary)(words) for words in lines[:200] if words]
    info = ModelInfo(f"word-{embedding}-{hidden}{ENDINGS[weight_bits]}", "word", "en", "CC0-1.0", ENGLISH_ALPHABET,
                     top_millinats=vocabulary.top_millinats)  # fmt: skip
    graph = quantize(shape, weights, calibration_rows(ids, steps=20))
    return Model(info, vocabulary.words, vocabulary.levels, write_tflite(graph))


def make_large_model(rows: int = 20_000) -> Model:
    """A row for each of the commonest words that a shipped model knows, weights of 4 bits."""
    shipped = choose_model("en-1m")
    commonest = sorted(range(len(shipped.words)), key=lambda i: shipped.levels[i])[:rows]
    shape = NetworkShape("word", FIRST_WORD_ROW + rows, 32, 128, 4)
    weights = initial_weights(shape, 1, np.full(shape.rows, -np.log(rows)))
    ids = np.random.default_rng(1).integers(FIRST_WORD_ROW, rows, (50, 20))
    info = ModelInfo(f"word-{rows}-int4", "word", "en", "CC-BY-4.0", ENGLISH_ALPHABET)
    words = tuple(sorted(shipped.words[i] for i in commonest))
    return Model(info, words, (0,) * rows, write_tflite(quantize(shape, weights, ids)))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> None:
    """Write gru-128.tflite, gru-256.tflite and the model folders word-36-128 (each with -int4 behind its name too) and word-20000-int4."""
    folder.mkdir(parents=True, exist_ok=True)
    for bits, ending in ENDINGS.items():
        for hidden in (128, 256):
            write_whole(folder / f"gru-{hidden}{ending}.tflite", make_character_graph(hidden, bits))
        model = make_word_model(36, 128, bits)
        write_model(folder / model.info.name, model)
    large = make_large_model()
    write_model(folder / large.info.name, large)
    click.echo(f"Next: tinylm bench --model {folder}/gru-128.tflite --model {folder}/{model.info.name}")


if __name__ == "__main__":
    command()
