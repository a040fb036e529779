#!/usr/bin/env python3
"""Makes the .tflite files of this folder: step models that people would write in Keras, converted to int8 by TensorFlow.

    python tests/foreign/make.py          # all; or: python tests/foreign/make.py gru window

The files are kept here because TensorFlow takes long to start and another version of it may convert otherwise: tests read
what this one wrote (TensorFlow 2.21, Keras 3.15). Weights are random. 29 ids: a boundary, a space, 27 letters.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
IDS, EMBEDDING, HIDDEN, WINDOW, STEPS = 29, 12, 16, 3, 300


def inputs(*names: str, window: int = 0) -> dict[str, Any]:
    """An id (or a window of them), and states."""
    import keras

    made = {"id": keras.Input((window,) if window else (), batch_size=1, dtype="int32", name="id")}
    return made | {name: keras.Input((HIDDEN,), batch_size=1, name=name) for name in names}


def embedded(ids: Any) -> Any:
    import keras

    return keras.layers.Embedding(IDS, EMBEDDING, embeddings_initializer="random_normal")(ids)


def gathered(ids: Any) -> Any:
    """As `embedded`, but without Keras's LESS, ADD and SELECT for negative ids: TensorFlow Lite Micro has no SELECT."""
    import keras
    import tensorflow as tf

    table = np.random.default_rng(2).normal(0, 0.05, (IDS, EMBEDDING)).astype(np.float32)
    return keras.layers.Lambda(lambda i: tf.gather(table, i), output_shape=(EMBEDDING,))(ids)


def logits(x: Any) -> Any:
    import keras

    return keras.layers.Dense(IDS, bias_initializer="random_normal", name="logits")(x)


def cell(kind: str, **options: Any) -> Any:
    import keras

    weights = {"kernel_initializer": "orthogonal", "bias_initializer": keras.initializers.RandomNormal(stddev=0.3)}
    return getattr(keras.layers, kind)(HIDDEN, **weights, **options)


def gru(look_up: Callable[[Any], Any] = embedded, **options: Any) -> Any:
    import keras

    at = inputs("h")
    _, (h,) = cell("GRUCell", **options)(look_up(at["id"]), [at["h"]])
    return keras.Model(at, {"logits": logits(h), "h": h})


def gru_reset_before() -> Any:
    return gru(reset_after=False)


def gru_gather() -> Any:
    return gru(gathered)


def lstm(named: bool = True, look_up: Callable[[Any], Any] = embedded) -> Any:
    """Both states have one size; without names only their scales tell which is which."""
    import keras

    at = inputs("h", "c")
    _, (h, c) = cell("LSTMCell")(look_up(at["id"]), [at["h"], at["c"]])
    made = {"logits": logits(h), "h": h, "c": c}
    return keras.Model(at, made if named else list(made.values()))


def lstm_unnamed() -> Any:
    return lstm(named=False)


def lstm_gather() -> Any:
    return lstm(look_up=gathered)


def simple_rnn() -> Any:
    import keras

    at = inputs("h")
    _, (h,) = cell("SimpleRNNCell")(embedded(at["id"]), [at["h"]])
    return keras.Model(at, {"logits": logits(h), "h": h})


def dense() -> Any:
    """Dense layers with RELU over word and state; the converter gives the state another scale out than in."""
    import keras

    at = inputs("h")
    x = keras.layers.Concatenate()([embedded(at["id"]), at["h"]])
    x = keras.layers.Dense(24, activation="relu", bias_initializer="random_normal")(x)
    h = keras.layers.Dense(HIDDEN, activation="tanh")(x)
    return keras.Model(at, {"logits": logits(h), "h": h})


def window() -> Any:
    """No state: the last words side by side."""
    import keras

    at = inputs(window=WINDOW)
    x = keras.layers.Flatten()(embedded(at["id"]))
    x = keras.layers.Dense(24, activation="relu", bias_initializer="random_normal")(x)
    return keras.Model(at, {"logits": logits(x)})


def calibration(model: Any) -> Iterator[dict[str, np.ndarray]]:
    """Random ids, the states fed back."""
    rng, shapes = np.random.default_rng(1), {i.name: i.shape for i in model.inputs}
    names = [name for name in shapes if name != "id"]
    states = {name: np.zeros((1, HIDDEN), np.float32) for name in names}
    for _ in range(STEPS):
        fed = {"id": rng.integers(IDS, size=shapes["id"]).astype(np.int32)} | states
        yield fed
        made = model(fed)
        made = made if isinstance(made, dict) else dict(zip(("logits", "h", "c"), made))
        states = {name: np.array(made[name]) for name in names}


def convert(model: Any, per_channel: bool = True) -> bytes:
    """Full int8, as TensorFlow's guide says."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: calibration(model)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        converter._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel
        return converter.convert()


MADE = {
    f.__name__: f
    for f in (gru, gru_gather, gru_reset_before, lstm, lstm_gather, lstm_unnamed, simple_rnn, dense, window)
}


def main(names: list[str]) -> None:
    import keras

    for name in names or [*MADE, "gru_per_tensor"]:
        keras.utils.set_random_seed(1)
        model = MADE[name.removesuffix("_per_tensor")]()
        (HERE / f"{name}.tflite").write_bytes(convert(model, not name.endswith("_per_tensor")))


if __name__ == "__main__":
    main(sys.argv[1:])
