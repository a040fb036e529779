"""Small models with random weights for tests: made in a second, without TensorFlow, the same in every run."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from tinylm.corpus import ENGLISH_ALPHABET, read_lines, word_finder
from tinylm.flatbuffer import write_tflite
from tinylm.kneser_ney import encode_text
from tinylm.model import FIRST_WORD_ROW, Model, ModelInfo
from tinylm.network import NetworkShape, initial_weights
from tinylm.ngram_fit import fit_ngram
from tinylm.preparation import encode_characters, encode_words
from tinylm.quantize import quantize
from tinylm.run import calibration_rows
from tinylm.vocabulary import choose_vocabulary, count_words

TEXT = Path(__file__).parents[1] / "examples" / "texts" / "en" / "radio.txt"
LINES = 120


@functools.cache
def tiny_lines() -> tuple[tuple[str, ...], ...]:
    """The lines (as words) that the tiny models are made of."""
    words_of = word_finder(ENGLISH_ALPHABET)
    lines = (words_of(line) for line, _ in zip(read_lines(TEXT), range(LINES)))
    return tuple(tuple(words) for words in lines if words)


@functools.cache
def tiny_word_model() -> Model:
    """200 rows, 12 by 16 numbers, and a lexicon of the rest of the words: about 10 KB."""
    lines = [list(words) for words in tiny_lines()]
    counts = count_words(lines)
    vocabulary = choose_vocabulary(counts, rows=198, lexicon_words=1000)
    rows = FIRST_WORD_ROW + vocabulary.levels.count(0)
    row_ids = vocabulary.row_ids()
    frequency = np.ones(rows)
    for word, row in row_ids.items():
        frequency[row] = counts[word]
    frequency[1] = sum(n for word, n in counts.items() if word not in row_ids)
    info = ModelInfo("tiny-word", "word", "en", "CC0-1.0", ENGLISH_ALPHABET, top_millinats=vocabulary.top_millinats)
    graph = _graph(NetworkShape("word", rows, 12, 16), frequency, [encode_words(vocabulary)(line) for line in lines])
    return Model(info, vocabulary.words, vocabulary.levels, graph)


@functools.cache
def tiny_character_model() -> Model:
    """A GRU of 16 units over the English letters: about 3 KB."""
    info = ModelInfo("tiny-character", "character", "en", "CC0-1.0", ENGLISH_ALPHABET)
    ids = [encode_characters(ENGLISH_ALPHABET)(list(line)) for line in tiny_lines()]
    rows = FIRST_WORD_ROW + len(ENGLISH_ALPHABET)
    frequency = np.bincount(np.concatenate(ids), minlength=rows) + 1.0
    return Model(info, (), (), _graph(NetworkShape("character", rows, 0, 16), frequency, ids))


@functools.cache
def tiny_ngram_model() -> Model:
    """Every word of the lines, and what follows them: under 8 KB."""
    fit = fit_ngram(encode_text(tiny_lines()), ENGLISH_ALPHABET, 8192)
    levels = {"top_millinats": fit.top_millinats, "level_millinats": fit.level_millinats}
    info = ModelInfo("tiny-ngram", "ngram", "en", "CC0-1.0", ENGLISH_ALPHABET, **levels)
    return Model(info, fit.words, fit.levels, b"", fit.packed.render())


def _graph(shape: NetworkShape, frequency: np.ndarray, ids: list[list[int]]) -> bytes:
    weights = initial_weights(shape, 1, np.log(frequency / frequency.sum()))
    return write_tflite(quantize(shape, weights, calibration_rows(ids, steps=20)))
