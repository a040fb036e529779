"""The cheaper forms of operators answer as the reference on every input, as 32-bit C computes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from models import tiny_character_model, tiny_int4_model, tiny_word_model
from step_graphs import random_step

from tinylm.flatbuffer import read_tflite
from tinylm.forms import find_product, find_rescale, find_sum, largest_sum
from tinylm.graph import Graph, Op
from tinylm.language import build_language
from tinylm.reference import requantize, run_op
from tinylm.step_code import layers_of

A, B = np.repeat(np.arange(-128, 128), 256), np.tile(np.arange(-128, 128), 256)
SEEDS = range(40)


def clamp(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    return np.clip(x, graph.tensor(op.output).zero_point if op.relu else -128, 127)


def int32(x: np.ndarray) -> np.ndarray:
    assert -(1 << 31) <= x.min() and x.max() < 1 << 31
    return x


@pytest.mark.parametrize("seed", SEEDS)
def test_a_form_equals_the_reference_on_every_input(seed: int) -> None:
    graph = random_step(seed, 40).graph
    for op in graph.ops:
        if op.kind in ("ADD", "SUB", "MUL") and op.inputs[0] != op.inputs[1]:
            expected = run_op(graph, op, {op.inputs[0]: A, op.inputs[1]: B})
            form = (find_product if op.kind == "MUL" else find_sum)(graph, op)
            if form is None:
                continue
            if op.kind == "MUL":
                zero_a, zero_b = (graph.tensor(i).zero_point for i in op.inputs)
                v = int32((A - zero_a) * (B - zero_b) * form.factor >> 16)
                answer = int32(v + np.where(v < 0, form.add_below, form.add)) >> form.shift
            else:
                answer = int32(int32(A * form.by_a + B * form.by_b) + form.add) >> form.shift
            assert np.array_equal(clamp(graph, op, answer), expected), op


@pytest.mark.parametrize("seed", SEEDS)
def test_a_layers_form_equals_the_reference_on_every_sum_there_can_be(seed: int) -> None:
    graph = random_step(seed, 12).graph
    for op in graph.ops:
        form = find_rescale(graph, op) if op.kind == "FULLY_CONNECTED" else None
        if form is not None:
            most = largest_sum(graph, op)
            sums = np.arange(-most, most + 1) if most < 1 << 21 else np.linspace(-most, most, 1 << 21).astype(np.int64)
            v = int32(int32(sums << form.left) * form.factor >> 32)
            answer = clamp(graph, op, int32(v + np.where(v < 0, form.add_below, form.add)) >> form.shift)
            assert np.array_equal(answer, requantize(graph, op, sums)), op


@pytest.mark.parametrize("real", [0.9, 1.0, 1.3, 1.9])
def test_a_layer_of_small_sums_has_a_form_where_its_factor_is_above_one_too(real: float) -> None:
    graph = read_tflite(tiny_int4_model().tflite)
    op = min((op for op in graph.ops if op.kind == "FULLY_CONNECTED"), key=lambda op: largest_sum(graph, op))
    tensors = list(graph.tensors)
    x, w = (tensors[i] for i in op.inputs[:2])
    tensors[op.output] = replace(tensors[op.output], scale=x.scale * w.scale / real)
    changed = replace(graph, tensors=tuple(tensors))
    form, most = find_rescale(changed, op), largest_sum(graph, op)
    sums = np.arange(-most, most + 1)
    v = int32(int32(sums << form.left) * form.factor >> 32)
    answer = clamp(changed, op, int32(v + np.where(v < 0, form.add_below, form.add)) >> form.shift)
    assert np.array_equal(answer, requantize(changed, op, sums))


@pytest.mark.parametrize("make", [tiny_word_model, tiny_character_model])
def test_a_model_of_our_own_needs_no_exact_operator(make) -> None:
    assert not any(layers_of(build_language(make())).endings.values())


def test_an_operator_of_one_input_twice_or_a_factor_far_above_one_has_no_form() -> None:
    graph = read_tflite(tiny_character_model().tflite)
    op = next(op for op in graph.ops if op.kind == "ADD")
    assert find_sum(graph, replace(op, inputs=(op.inputs[0], op.inputs[0]))) is None
    dense = next(op for op in graph.ops if op.kind == "FULLY_CONNECTED")
    tensors = list(graph.tensors)
    tensors[dense.output] = replace(tensors[dense.output], scale=1e-9)
    assert find_rescale(replace(graph, tensors=tuple(tensors)), dense) is None
