"""int8 costs little: the quantized step predicts as the float network does, and keeps its promises about scales."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tflite
from models import tiny_int4_model, tiny_lines

from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.flatbuffer import read_tflite, write_tflite
from tinylm.graph import Graph, bias_scale, understand_step
from tinylm.language import bias_with_zero_point, build_language, pack_bias
from tinylm.network import NetworkShape, initial_weights
from tinylm.preparation import encode_characters
from tinylm.quantize import best_scale, coarse_bias, float_steps, quantize, quantize_weights, weight_grid
from tinylm.reference import run_step
from tinylm.tying import is_equal, tie_tables

CHARACTER, WORD = NetworkShape("character", 29, 0, 24), NetworkShape("word", 80, 12, 24)


def weights_of(shape: NetworkShape) -> dict[str, np.ndarray]:
    """Random ones, twice as large as at the start of training, with biases: gates open and close, words differ."""
    rng = np.random.default_rng(5)
    w = initial_weights(shape, 3, -np.log(np.arange(1.0, shape.rows + 1)))
    return {name: 2 * a if a.ndim > 1 else a + rng.normal(0, 0.3, a.shape).astype(np.float32) for name, a in w.items()}


def rows_of(shape: NetworkShape, lines: int, offset: int = 0) -> np.ndarray:
    """Token rows [lines, 40]; those of the word kind are random."""
    if shape.kind == "word":
        rows = np.random.default_rng(offset).integers(1, shape.rows, (lines, 40))
    else:
        flat = [i for line in tiny_lines()[offset:] for i in (0, *encode_characters(ENGLISH_ALPHABET)(list(line)))]
        rows = np.array(flat[: lines * 40]).reshape(lines, 40)
    rows[:, 0] = 0
    return rows


def nats(logits: np.ndarray, wanted: int) -> float:
    largest = logits.max()
    return float(np.log(np.exp(logits - largest).sum()) + largest - logits[wanted])


def losses(shape: NetworkShape, w: dict, graph: Graph, ids: np.ndarray) -> tuple[float, float]:
    """Mean nats a token: float, int8 (of the sums, as the engine ranks)."""
    step = understand_step(graph)
    real = float_steps(shape, w, ids)["logits"].reshape(ids.shape[1], len(ids), -1)
    exact, coarse = [], []
    for b, row in enumerate(ids):
        state = np.zeros(shape.hidden, np.int8)
        for t in range(len(row) - 1):
            result = run_step(step, int(row[t]), np.zeros_like(state) if row[t] == 0 else state)
            state = result.state
            exact.append(nats(real[t, b], row[t + 1]))
            coarse.append(nats(result.scores * bias_scale(graph, step.output_op), row[t + 1]))
    return float(np.mean(exact)), float(np.mean(coarse))


@pytest.mark.parametrize("shape", [WORD, CHARACTER], ids=["word", "character"])
def test_int8_loses_less_than_two_hundredths_of_a_nat(shape: NetworkShape) -> None:
    w = weights_of(shape)
    exact, coarse = losses(shape, w, quantize(shape, w, rows_of(shape, 20)), rows_of(shape, 12, offset=60))
    assert abs(coarse - exact) < 0.02, (exact, coarse)


def test_weights_of_4_bits_cost_little_more() -> None:
    """Of random weights, not trained with it."""
    shape, w = replace(WORD, weight_bits=4), weights_of(WORD)
    exact, coarse = losses(shape, w, quantize(shape, w, rows_of(shape, 20)), rows_of(shape, 12, offset=60))
    assert abs(coarse - exact) < 0.1, (exact, coarse)


@pytest.mark.parametrize("shape", [WORD, CHARACTER], ids=["word", "character"])
def test_the_state_is_pinned_and_a_nat_has_a_whole_number_of_units(shape: NetworkShape) -> None:
    graph = quantize(shape, weights_of(shape), rows_of(shape, 8))
    step = understand_step(graph)
    assert len(step.states) == 1
    for index in (step.states[0].before, step.states[0].after):
        assert (graph.tensor(index).scale, graph.tensor(index).zero_point) == (1 / 128, 0)
    assert step.units_per_nat == round(1 / bias_scale(graph, step.output_op)) > 100


def test_the_tied_embedding_is_one_tensor_and_one_buffer_in_the_file() -> None:
    graph = quantize(WORD, weights_of(WORD), rows_of(WORD, 8))
    step = understand_step(graph)
    gather = next(op for op in graph.ops if op.kind == "GATHER")
    assert gather.inputs[0] == step.output_op.inputs[1]
    model = tflite.Model.GetRootAsModel(write_tflite(graph), 0)
    sizes = [model.Buffers(i).DataLength() for i in range(model.BuffersLength())]
    assert sizes.count(WORD.rows * WORD.embedding) == 1


def test_of_4_bits_the_file_has_the_embedding_as_int8_too_and_flash_has_it_once() -> None:
    model = tiny_int4_model()
    graph = read_tflite(model.tflite)
    matrices = [graph.tensor(op.inputs[1]) for op in graph.ops if op.kind == "FULLY_CONNECTED"]
    assert {t.dtype for t in matrices} == {"int4"} and max(np.abs(t.values).max() for t in matrices) == 7
    table = graph.tensor(next(op.inputs[0] for op in graph.ops if op.kind == "GATHER"))
    assert table.dtype == "int8" and is_equal(table, matrices[-1])
    language = build_language(model)
    assert [s.name for s in language.sections if "embedding" in s.name] == ["embedding"]
    assert len(language.sections[3].content) == 200 * 7 and language.sections[3].name == "embedding"


@pytest.mark.parametrize("kind", ["word", "character"])
def test_weights_that_were_rounded_to_the_grid_are_quantized_without_loss(kind: str) -> None:
    """Also where none of a matrix is at the end of its grid."""
    shape = replace(WORD if kind == "word" else CHARACTER, weight_bits=4)
    w = weights_of(shape)
    grid = weight_grid(shape, w)
    assert set(grid) == {name for name, a in w.items() if a.ndim > 1} - ({"input"} if kind == "character" else set())
    for name, (scale, most) in grid.items():
        w[name] = np.clip(np.round(w[name] / scale), 1 - most, most - 1).astype(np.float32) * scale
    tensors = {t.name: t for t in quantize(shape, w, rows_of(shape, 8)).tensors}
    for name, value in {
        "recurrent_r": w["recurrent"][:, 24:48].T,
        "output" if "output" in w else "embedding": w.get("output", w.get("embedding")),
    }.items():
        assert np.allclose(tensors[name].values * tensors[name].scale, value, rtol=1e-6, atol=0)


def test_a_table_that_differs_from_the_output_matrix_is_stored_beside_it() -> None:
    graph = quantize(replace(WORD, weight_bits=4), weights_of(WORD), rows_of(WORD, 8))
    step = understand_step(graph)
    assert tie_tables(step).graph.ops[0].inputs[0] == step.output_op.inputs[1]
    table = graph.ops[0].inputs[0]
    for other in (
        replace(graph.tensor(table), scale=0.25),
        replace(graph.tensor(table), values=graph.tensor(table).values + 1),
    ):
        tensors = tuple(other if i == table else t for i, t in enumerate(graph.tensors))
        changed = replace(step, graph=replace(graph, tensors=tensors))
        assert tie_tables(changed) == changed


def test_the_same_weights_give_the_same_bytes() -> None:
    for shape in (WORD, replace(WORD, weight_bits=4)):
        graphs = [quantize(shape, weights_of(shape), rows_of(shape, 8)) for _ in range(2)]
        assert write_tflite(graphs[0]) == write_tflite(graphs[1])
        assert write_tflite(read_tflite(write_tflite(graphs[0]))) == write_tflite(graphs[0])


def test_biases_take_a_byte_in_the_output_layer_and_two_elsewhere() -> None:
    graph = quantize(WORD, weights_of(WORD), rows_of(WORD, 8))
    step = understand_step(graph)
    for op in graph.ops:
        if op.kind == "FULLY_CONNECTED":
            packed = pack_bias(bias_with_zero_point(graph, op))
            assert packed.width <= (1 if op == step.output_op else 2)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_coarse_bias_fits_its_bits_and_is_off_by_half_a_unit_at_most(bits: int) -> None:
    values = np.random.default_rng(1).normal(0, 5, 1000)
    coarse = coarse_bias(values, 1e-5, bits).astype(np.int64)
    packed = pack_bias(coarse)
    assert packed.width <= bits // 8
    assert np.abs(coarse - values / 1e-5).max() <= (1 << packed.shift) / 2 + 0.5
    held = np.frombuffer(packed.content, f"<i{packed.width}").astype(np.int64) << packed.shift
    assert np.array_equal(held, coarse)


def test_biases_may_be_asked_to_have_three_bytes() -> None:
    packed = pack_bias(np.array([-1, 70_000, -8_388_608]), (3, 4))
    assert (packed.width, packed.shift) == (3, 0)
    assert packed.content == b"\xff\xff\xff" + b"\x70\x11\x01" + b"\x00\x00\x80"


def test_coarse_biases_of_nothing_are_zero() -> None:
    assert not coarse_bias(np.zeros(4), 1e-3, 8).any()
    assert pack_bias(None).width == 0


@pytest.mark.parametrize(("bits", "most"), [(8, 127), (4, 7)])
def test_weights_stay_within_their_bits_and_the_scale_is_the_best_of_those_tried(bits: int, most: int) -> None:
    values = np.random.default_rng(2).standard_t(3, (50, 20))
    q, scale = quantize_weights(values, bits)
    assert np.abs(q.astype(int)).max() == most
    loss = np.mean((q * scale - values) ** 2)
    plain = np.abs(values).max() / most
    assert loss < np.mean((np.round(values / plain) * plain - values) ** 2)
    assert np.float32(scale) == scale


@pytest.mark.parametrize("values", [np.zeros(5), np.array([1e-30]), np.array([3.0])])
def test_a_scale_is_a_positive_number_whatever_the_values(values: np.ndarray) -> None:
    assert 0 < best_scale(values) < np.inf
