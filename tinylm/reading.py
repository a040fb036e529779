"""What a network expects at each place of a text: reads it line by line, trains nothing, counts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tinylm.flatbuffer import read_tflite
from tinylm.model import BOUNDARY_ROW, UNKNOWN_ROW, Model, nats_of_level
from tinylm.network import build_trainer
from tinylm.quantize import dequantize
from tinylm.training import TokenFile, choose_backend

BATCH, STEPS = 128, 24  # rows and words at once: with 8,000 rows the scores are 100 MB


def read_chances(model: Model, text: TokenFile, progress: Callable[[int], None] | None = None) -> np.ndarray:
    """Chance of each number of `text` but the first after those before it in its line, float32 [ids - 1]; at a line's start that of
    the line before ending there.

    `text` has the numbers of a mixture (`model.numbers`); `model` is its network, as rounded, in float arithmetic. What a line of
    some hundred words at the very end has behind its first ones may be left at 0: not read. `progress`: places so far.
    """
    choose_backend()
    shape, weights = dequantize(read_tflite(model.tflite))
    state = np.zeros((BATCH, shape.hidden), np.float32)
    network = build_trainer(shape, STEPS, weights, 0, state=state)
    network.compile(jit_compile=True)
    # Rows end when no line is left for one of them, so the first lines come once more after the last.
    lines = len(text.starts)
    order = np.resize(np.arange(lines), lines + BATCH * STEPS)
    unused = np.zeros((BATCH, 1), np.int32), np.zeros((BATCH, 1), np.float32)  # of a sampled softmax
    chances, furthest = np.zeros(len(text.ids), np.float32), 0
    for ids, targets, places in _rows_of(text, order):
        rows = [np.where(numbers < shape.rows, numbers, UNKNOWN_ROW) for numbers in (ids, targets)]
        chances[places] = np.exp(-network.predict_on_batch((*rows, *unused))[..., 0])
        furthest = max(furthest, int(places.max()))  # the first lines come again
        if progress:
            progress(furthest)
    return chances[:-1] * shares_of(model)[text.ids[1:]]


def shares_of(model: Model) -> np.ndarray:
    """Of each number of a mixture: the part of its row's chance that is its own, float32."""
    shares = np.zeros(model.ngram_rows, np.float32)
    shares[[BOUNDARY_ROW, UNKNOWN_ROW]] = 1.0
    for word, level in zip(model.words, model.levels):
        shares[model.numbers[word]] = np.exp(nats_of_level(model.info, level))
    return shares


def _rows_of(text: TokenFile, order: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields (ids, targets) int32 and the places of the ids in `text` int64, each [BATCH, STEPS], until no line of `order` is left.

    Each row goes on where the same row of the last yield ended, and takes the next line when it has no more: so a network that keeps its
    states reads every line from its start.
    """
    ends = np.append(text.starts[1:], len(text.ids))
    lines = iter(order)
    rows = [np.empty(0, np.int64)] * BATCH
    while True:
        for i, row in enumerate(rows):
            held, size = [row], len(row)
            while size <= STEPS:
                line = next(lines, None)
                if line is None:
                    return
                held.append(np.arange(text.starts[line], ends[line]))
                size += len(held[-1])
            rows[i] = np.concatenate(held)
        places = np.stack([row[: STEPS + 1] for row in rows])
        rows = [row[STEPS:] for row in rows]
        ids = text.ids[places].astype(np.int32)
        yield ids[:, :-1], ids[:, 1:], places[:, :-1]
