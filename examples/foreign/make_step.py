#!/usr/bin/env python3
"""A step model as anybody would write it in Keras: trains a GRU on a text, converts one step of it to int8.

    python make_step.py ../texts/en/radio.txt        # writes step.tflite and words.txt

Nothing here is tinylm's. What tinylm asks of the file: one id and the states in, the states and the logits out.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

WORDS, EMBEDDING, HIDDEN, LENGTH, EPOCHS, CALIBRATION_LINES = 600, 24, 48, 16, 12, 60


def read_words(path: Path) -> list[list[str]]:
    """Lower-case words of each line."""
    lines = path.read_text("utf-8").lower().replace("\u2019", "'").splitlines()
    return [re.findall(r"[a-z']+", line) for line in lines]


def encode(lines: list[list[str]], ids: dict[str, int]) -> np.ndarray:
    """Ids [lines, LENGTH + 1]: 0 before the first word and after the last."""
    rows = np.zeros((len(lines), LENGTH + 1), np.int32)
    for row, words in zip(rows, lines):
        row[1 : 1 + len(words)] = [ids.get(word, 1) for word in words[:LENGTH]]
    return rows


def main(text: Path) -> None:
    keras.utils.set_random_seed(1)
    lines = read_words(text)
    counts = Counter(word for words in lines for word in words)
    vocabulary = ["", "[UNK]", *(word for word, _ in counts.most_common(WORDS))]
    Path("words.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    rows = encode(lines, {word: number for number, word in enumerate(vocabulary)})

    embedding = keras.layers.Embedding(len(vocabulary), EMBEDDING)
    cell = keras.layers.GRUCell(HIDDEN)
    output = keras.layers.Dense(len(vocabulary))

    ids = keras.Input((LENGTH,), dtype="int32")
    trained = keras.Model(ids, output(keras.layers.RNN(cell, return_sequences=True)(embedding(ids))))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trained.compile(keras.optimizers.Adam(0.004), loss)
    weights = np.cumsum(rows[:, :-1] == 0, axis=1) <= 1  # not what follows the end of a line
    trained.fit(rows[:, :-1], rows[:, 1:], sample_weight=weights, batch_size=32, epochs=EPOCHS, verbose=2)

    # The same layers, one step: the state goes in and out by name.
    id, h = keras.Input((), batch_size=1, dtype="int32", name="id"), keras.Input((HIDDEN,), batch_size=1, name="h")
    _, (h_next,) = cell(embedding(id), [h])
    step = keras.Model({"id": id, "h": h}, {"logits": output(h_next), "h": h_next})

    def calibration() -> Iterator[dict[str, np.ndarray]]:
        for row in rows[:: max(1, len(rows) // CALIBRATION_LINES)]:
            state = np.zeros((1, HIDDEN), np.float32)
            for word in row[: np.count_nonzero(row) + 1]:
                fed = {"id": np.array([word], np.int32), "h": state}
                yield fed
                state = np.array(step(fed)["h"])

    with tempfile.TemporaryDirectory() as folder:
        step.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        Path("step.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
