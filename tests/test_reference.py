"""The NumPy reference and the generated C answer as TensorFlow Lite Micro does, bit for bit, whatever the graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import tiny_character_model, tiny_word_model
from oracle import Oracle
from runtime_rig import build_program
from step_graphs import make_int4, random_step, with_all_outputs

from tinylm.flatbuffer import read_tflite
from tinylm.graph import Graph, understand_step
from tinylm.reference import hash_bytes, run_graph, run_step

SEEDS = st.integers(0, 1 << 32)
C_GRAPHS = 30


def random_state(graph: Graph, size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, size).astype(np.int8)


@pytest.mark.needs("tflite_micro")
@given(seed=SEEDS, most=st.integers(1, 64))
@settings(deadline=None, max_examples=100)
def test_every_op_of_a_random_graph_answers_as_the_oracle(seed: int, most: int) -> None:
    step = random_step(seed, most)
    graph = with_all_outputs(step.graph)
    oracle, state = Oracle(graph), random_state(graph, step.state_bytes, seed)
    for i in range(3):
        inputs = step.feed((seed + i) % step.rows, state)
        values, answers = run_graph(graph, inputs), oracle.run(inputs)
        for number, (op, answer) in enumerate(zip(graph.ops, answers)):
            assert np.array_equal(np.ravel(values[op.output]), answer), f"op {number} is {op}"
        state = step.carry(inputs[step.ids], values)


@pytest.mark.needs("tflite_micro", "cc")
def test_generated_c_answers_as_reference_and_oracle_and_touches_no_byte_too_many(tmp_path) -> None:
    sizes = [1, 2, 3, 7, 16, 17, 33, 64, 64]
    steps = [random_step(7000 + i, sizes[i % len(sizes)], rows=(4, 3, 16, 17, 40, 66)[i % 6]) for i in range(C_GRAPHS)]
    program = build_program(steps, tmp_path)
    for number, step in enumerate(steps):
        step = understand_step(read_tflite(program.views[number].model.tflite))  # the names of the file
        oracle, state = Oracle(step.graph), random_state(step.graph, step.state_bytes, number)
        ids = [(number + 5 * i) % step.rows for i in range(20)]
        for i, answer in enumerate(program.run(number, state, ids)):
            expected, judged = run_step(step, ids[i], state), oracle.run_step(step, ids[i], state)
            for name in ("state", "context", "scores", "logits"):
                assert np.array_equal(getattr(answer, name), np.ravel(getattr(expected, name))), (number, i, name)
            assert np.array_equal(judged.state, answer.state) and np.array_equal(judged.logits, answer.logits)
            state = answer.state


@pytest.mark.needs("tflite_micro", "cc")
def test_weights_of_4_bits_answer_as_the_oracle_in_python_and_c(tmp_path) -> None:
    steps = [random_step(8000 + i, 24, rows=9 + i, make=make_int4) for i in range(8)]
    program = build_program(steps, tmp_path)
    for number, step in enumerate(steps):
        step = understand_step(read_tflite(program.views[number].model.tflite))
        oracle, state = Oracle(step.graph), random_state(step.graph, step.state_bytes, number)
        ids = [(number + 5 * i) % step.rows for i in range(20)]
        for i, answer in enumerate(program.run(number, state, ids)):
            expected, judged = run_step(step, ids[i], state), oracle.run_step(step, ids[i], state)
            assert np.array_equal(answer.logits, expected.logits) and np.array_equal(answer.state, expected.state)
            assert np.array_equal(judged.state, answer.state) and np.array_equal(judged.logits, answer.logits)
            state = answer.state


@pytest.mark.needs("tflite_micro")
@pytest.mark.parametrize("model", [tiny_word_model, tiny_character_model])
def test_every_op_of_a_tiny_model_answers_as_the_oracle(model) -> None:
    step = understand_step(read_tflite(model().tflite))
    graph = with_all_outputs(step.graph)
    oracle, state = Oracle(graph), step.start()
    for i in range(50):
        inputs = step.feed(37 * i % step.rows, state)
        values, answers = run_graph(graph, inputs), oracle.run(inputs)
        assert all(np.array_equal(np.ravel(values[op.output]), a) for op, a in zip(graph.ops, answers))
        state = step.carry(inputs[step.ids], values)


def test_the_hash_is_fnv_1a() -> None:
    """Vectors of Fowler, Noll and Vo's own test suite (isthe.com/chongo/tech/comp/fnv)."""
    assert hash_bytes(b"") == 0x811C9DC5
    assert hash_bytes(b"a") == 0xE40C292C
    assert hash_bytes(b"foobar") == 0xBF9CF968
