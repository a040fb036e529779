"""What a network expects of a text that it reads again: the chances that it has step by step, each line from its start."""

from __future__ import annotations

import numpy as np
import pytest
from models import tiny_lines, tiny_mixture_model

from tinylm.flatbuffer import read_tflite
from tinylm.model import UNKNOWN_ROW, Model, nats_of_level
from tinylm.quantize import dequantize, float_step
from tinylm.reading import BATCH, STEPS, read_chances
from tinylm.training import TokenFile

MODEL = tiny_mixture_model()


def text_of(lines: list[list[int]]) -> TokenFile:
    """Lines of numbers as training has them."""
    starts = np.cumsum([0, *(len(line) + 1 for line in lines)])[:-1]
    ids = np.concatenate([[0, *line] for line in lines]).astype(np.uint16)
    return TokenFile(ids, starts, np.ones(len(lines), np.float32))


def chances_of(model: Model, lines: list[list[int]]) -> list[float]:
    """Of each number and of each line's end, one step at a time."""
    shape, weights = dequantize(read_tflite(model.tflite))
    level = {model.numbers[word]: level for word, level in zip(model.words, model.levels)}
    found = []
    for line in lines:
        h = np.zeros((1, shape.hidden), np.float32)
        for last, number in zip([0, *line], [*line, 0]):
            made = float_step(shape, weights, np.array([last if last < shape.rows else UNKNOWN_ROW]), h)
            h, scores = made["h_next"], made["logits"][0]
            chances = np.exp(scores - scores.max())
            row = number if number < shape.rows else UNKNOWN_ROW
            part = np.exp(nats_of_level(model.info, level[number])) if number >= shape.rows else 1.0
            found.append(float(chances[row] / chances.sum() * part))
    return found


@pytest.mark.needs("tensorflow", "keras")
@pytest.mark.parametrize("count", [1, 7, len(tiny_lines())])
def test_chances_are_those_of_the_network_step_by_step(count: int) -> None:
    """Also of fewer lines than are read at once, of words without a row, and of a line that is longer than what is read at once."""
    numbers = MODEL.numbers
    lines = [[numbers.get(word, UNKNOWN_ROW) for word in words] for words in tiny_lines()[:count]]
    lines[0] = (lines[0] * STEPS)[: STEPS + 11]
    assert count < BATCH and (count == 1 or any(max(line) >= MODEL.ngram_rows // 2 for line in lines))
    text, told = text_of(lines), []
    chances = read_chances(MODEL, text, told.append)
    assert len(chances) == len(text.ids) - 1 and told
    assert np.allclose(chances, chances_of(MODEL, lines)[:-1], rtol=1e-4)


@pytest.mark.needs("tensorflow", "keras")
def test_more_lines_than_are_read_at_once_are_all_read_whole() -> None:
    lines = [[2 + (i + j) % 150 for j in range(1 + i % 9)] for i in range(3 * BATCH)]
    assert np.allclose(read_chances(MODEL, text_of(lines)), chances_of(MODEL, lines)[:-1], rtol=1e-4)
