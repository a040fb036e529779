"""A .tflite in and out: the same graph comes back, and whatever else comes in gets a sentence, never a crash."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from models import tiny_character_model, tiny_word_model
from mutants import mutate, use_graph
from step_graphs import random_step

from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite, write_tflite
from tinylm.graph import Graph, Op, Tensor, prune, understand_step

MUTANTS = 2000


def assert_same(a: Graph, b: Graph) -> None:
    assert (a.ops, a.inputs, a.outputs) == (b.ops, b.inputs, b.outputs)
    for x, y in zip(a.tensors, b.tensors, strict=True):
        assert replace(x, values=None) == replace(y, values=None)
        assert (x.values is None) == (y.values is None)
        assert x.values is None or np.array_equal(x.values, y.values) and x.values.dtype == y.values.dtype


@pytest.mark.parametrize("seed", range(20))
def test_what_is_written_is_read_back(seed: int) -> None:
    graph = random_step(seed, most=20).graph
    content = write_tflite(graph)
    assert_same(read_tflite(content), prune(graph))
    assert write_tflite(read_tflite(content)) == write_tflite(prune(graph))


def test_names_become_names_of_c_that_differ() -> None:
    graph = random_step(1, most=8).graph
    names = ["a/b;c", "a_b_c", "1x", "state", "", "été", "x" * 90, "x" * 91, "a_layer"]
    renamed = [replace(t, name=names[i] if i < len(names) else t.name) for i, t in enumerate(graph.tensors)]
    found = [t.name for t in read_tflite(write_tflite(replace(graph, tensors=tuple(renamed)))).tensors]
    assert len(set(found)) == len(found)
    assert all(name.isidentifier() and name.isascii() and len(name) <= 70 for name in found)
    assert "state" not in found and "a_layer" not in found


@pytest.mark.parametrize("make", [tiny_word_model, tiny_character_model])
def test_a_truncated_file_is_refused_wherever_it_ends(make) -> None:
    content = make().tflite
    for size in range(0, len(content), max(1, len(content) // 400)):
        with pytest.raises(TinylmError):
            read_tflite(content[:size])


def test_a_damaged_file_is_refused_or_is_a_graph_that_works() -> None:
    content, draw, refused = write_tflite(_small_step()), random.Random(1), 0
    for _ in range(MUTANTS):
        try:
            use_graph(mutate(content, draw))
        except TinylmError as error:
            assert error.message
            refused += 1
    assert MUTANTS // 4 < refused < MUTANTS


def _small_step() -> Graph:
    """The tiny character model's structure with little in it: most bytes are structure."""
    return random_step(2, most=4, rows=29).graph


def test_bytes_that_are_no_model_are_refused() -> None:
    for content in (b"", b"TFL3", bytes(100), b"\x20\0\0\0TFL3" + bytes(8), b"\xff" * 4 + b"TFL3" + b"\xff" * 60):
        with pytest.raises(TinylmError):
            read_tflite(content)


@pytest.mark.needs("tensorflow")
def test_a_models_of_somebody_else_is_refused_with_the_name_of_what_is_in_the_way() -> None:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, activation="softmax", name="answer")])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    with pytest.raises(TinylmError, match=r"op 0 \(FULLY_CONNECTED\): tensor '.+' is float32; int8") as refused:
        read_tflite(converter.convert())
    assert "int8" in refused.value.hint
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([np.random.default_rng(i).random((1, 8), np.float32)] for i in range(8))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with pytest.raises(TinylmError, match=r"op 1 \(SOFTMAX\) is not supported") as refused:
        read_tflite(converter.convert())
    assert refused.value.hint


SCALE = 1 / 128


def small_graph(**changes: Tensor) -> Graph:
    """id, h, table, x = GATHER, w, bias, y = FULLY_CONNECTED(h), n = ADD(x, y), o, logits = FULLY_CONNECTED(n)."""
    tensors = {
        "id": Tensor("id", (1,), "int32"),
        "h": Tensor("h", (1, 4), "int8", SCALE),
        "table": Tensor("table", (5, 4), "int8", SCALE, 0, np.ones((5, 4), np.int8)),
        "x": Tensor("x", (1, 4), "int8", SCALE),
        "w": Tensor("w", (4, 4), "int8", SCALE, 0, np.ones((4, 4), np.int8)),
        "bias": Tensor("bias", (4,), "int32", SCALE * SCALE, 0, np.ones(4, np.int32)),
        "y": Tensor("y", (1, 4), "int8", SCALE),
        "n": Tensor("n", (1, 4), "int8", SCALE),
        "o": Tensor("o", (5, 4), "int8", SCALE, 0, np.ones((5, 4), np.int8)),
        "logits": Tensor("logits", (1, 5), "int8", 0.1),
    } | changes
    ops = (
        Op("GATHER", (2, 0), 3),
        Op("FULLY_CONNECTED", (1, 4, 5), 6),
        Op("ADD", (3, 6), 7),
        Op("FULLY_CONNECTED", (7, 8, -1), 9),
    )
    return Graph(tuple(tensors.values()), ops, (0, 1), (7, 9))


def matrix(name: str, rows: int, columns: int, scale: float = SCALE, zero: int = 0) -> Tensor:
    return Tensor(name, (rows, columns), "int8", scale, zero, np.full((rows, columns), 127, np.int8))


def test_the_small_graph_is_accepted() -> None:
    assert understand_step(small_graph()).rows == 5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"h": Tensor("h", (1, 4), "int8", SCALE, 3)}, "not a state quantized like the input"),
        ({"x": Tensor("x", (1, 4), "int8", 0.0)}, "tensor 'x' is int8 with scale 0"),
        ({"x": Tensor("x", (1, 4), "int8", float("nan"))}, "scale nan"),
        ({"x": Tensor("x", (1, 4), "int8", SCALE, 200)}, "zero point 200"),
        ({"x": Tensor("x", (1, 4), "int8", 2 * SCALE)}, "op 0 (GATHER)"),
        ({"table": matrix("table", 4, 4)}, "op 0 (GATHER): its table has 4 rows for 5 ids"),
        ({"table": matrix("table", 5, 3)}, "op 0 (GATHER): shapes (5, 3)"),
        ({"w": matrix("w", 4, 5)}, "op 1 (FULLY_CONNECTED): input (1, 4), weights (4, 5)"),
        ({"w": matrix("w", 4, 4, zero=1)}, "zero point 1"),
        ({"w": Tensor("w", (4, 4), "int8", SCALE)}, "reads tensor 4, which nothing has made"),
        ({"bias": Tensor("bias", (4,), "int32", 1.0, 0, np.ones(4, np.int32))}, "the bias 'bias' has scale 1"),
        (
            {"bias": Tensor("bias", (4,), "int32", SCALE * SCALE, 0, np.full(4, 1 << 29, np.int32))},
            "does not leave room",
        ),
        ({"y": Tensor("y", (1, 4), "int8", 1e-12)}, "op 1 (FULLY_CONNECTED): its output scale is too small"),
        ({"logits": Tensor("logits", (1, 5), "int8", 1e-12)}, "op 3 (FULLY_CONNECTED): its output scale is too small"),
        ({"o": matrix("o", 5, 4, 1e-6)}, "a nat is 128000000 units"),
        ({"o": matrix("o", 5, 4, 400.0)}, "a nat is 0 units"),
        ({"y": Tensor("y", (1, 4), "int8", 1e9)}, "op 2 (ADD): output scale"),
        ({"y": Tensor("y", (4,), "int32", SCALE, 0, np.ones(4, np.int32))}, "which is already there"),
    ],
)
def test_a_graph_that_the_runtimes_do_not_compute_alike_is_refused(changes: dict, says: str) -> None:
    with pytest.raises(TinylmError) as refused:
        understand_step(read_tflite(write_tflite(small_graph(**changes))))
    assert says in refused.value.message


def test_logits_made_of_the_old_state_are_refused() -> None:
    graph = small_graph()
    ops = (*graph.ops[:3], Op("FULLY_CONNECTED", (1, 8, -1), 9))
    with pytest.raises(TinylmError, match="made of the old state"):
        understand_step(replace(graph, ops=ops))


def test_a_constant_in_place_of_a_value_is_refused() -> None:
    graph = small_graph(x=Tensor("x", (1, 4), "int8", SCALE, 0, np.ones((1, 4), np.int8)))
    ops = (Op("FULLY_CONNECTED", (3, 4, 5), 6), *graph.ops[2:])
    with pytest.raises(TinylmError, match=r"op 0 \(FULLY_CONNECTED\) has a constant"):
        write_tflite(replace(graph, ops=ops))
