"""The small models of tests/vectors/ (random weights, made by its make.py), and what they must answer."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np

from tinylm.calibration import calibration_rows
from tinylm.corpus import ENGLISH_ALPHABET, read_lines, word_finder
from tinylm.flatbuffer import write_tflite
from tinylm.model import Model, load_model
from tinylm.network import NetworkShape, initial_weights
from tinylm.quantize import quantize

VECTORS = Path(__file__).parent / "vectors"
TEXTS = Path(__file__).parents[1] / "examples" / "texts" / "en"
TEXT = TEXTS / "radio.txt"
LINES = 120


@functools.cache
def tiny_lines(text: Path = TEXT) -> tuple[tuple[str, ...], ...]:
    """Lines of text, as words."""
    words_of = word_finder(ENGLISH_ALPHABET)
    lines = (words_of(line) for line, _ in zip(read_lines(text), range(LINES)))
    return tuple(tuple(words) for words in lines if words)


def random_network(shape: NetworkShape, frequency: np.ndarray, ids: list[list[int]]) -> bytes:
    """A .tflite of random weights, the same for a shape; `frequency` [rows] is in its output bias, `ids` calibrate it."""
    weights = initial_weights(shape, 1, np.log(frequency / frequency.sum()))
    return write_tflite(quantize(shape, weights, calibration_rows(ids, steps=20)))


@functools.cache
def tiny_word_model() -> Model:
    """200 rows, 12 by 16 numbers, and a lexicon of the rest of the words: about 10 KB."""
    return load_model(VECTORS / "tiny-word")


@functools.cache
def tiny_int4_model() -> Model:
    """The same words with 13 by 17 numbers, weights of 4 bits: an odd number is in a row."""
    return load_model(VECTORS / "tiny-word-int4")


@functools.cache
def tiny_character_model() -> Model:
    """A GRU of 16 units over the English letters: about 3 KB."""
    return load_model(VECTORS / "tiny-character")


@functools.cache
def tiny_ngram_model() -> Model:
    """Every word of some lines, and what follows them: under 8 KB."""
    return load_model(VECTORS / "tiny-ngram")


@functools.cache
def tiny_mixture_model() -> Model:
    """The word model with 4 KB of followers beside it."""
    return load_model(VECTORS / "tiny-mixture")


@functools.cache
def golden(name: str) -> dict:
    """golden.json of one of them."""
    return json.loads((VECTORS / name / "golden.json").read_text("utf-8"))


def golden_hash(model: Model) -> int:
    """What it must answer to the recorded steps."""
    return int(golden(model.info.name)["hash"], 16)
