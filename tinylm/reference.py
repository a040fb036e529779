"""The NumPy reference of a step graph: one place that says what every chip must answer. Knows ops; no C, no text.

It computes what TensorFlow Lite Micro computes, bit for bit; tests hold it against that oracle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinylm.arithmetic import high_multiply, lookup_table, quantize_multiplier, rescale, rounding_shift, saturate
from tinylm.graph import Graph, Op, Step

SUM_LEFT_SHIFT = 20


@dataclass(frozen=True)
class Rescaling:
    """Multiplier and shift of one product: real ~ multiplier * 2^(shift - 31)."""

    multiplier: int
    shift: int


def fully_connected_rescaling(graph: Graph, op: Op) -> Rescaling:
    """float32(input scale * weight scale) / output scale."""
    x, w, y = (graph.tensor(i) for i in (*op.inputs[:2], op.output))
    product = np.float32(x.scale) * np.float32(w.scale)
    return Rescaling(*quantize_multiplier(float(product) / float(np.float32(y.scale))))


def mul_rescaling(graph: Graph, op: Op) -> Rescaling:
    """MUL: input scales' product, in float32 and then double as TFLM does, over the output scale."""
    a, b, y = (graph.tensor(i) for i in (*op.inputs, op.output))
    product = np.float32(a.scale) * np.float32(b.scale)
    return Rescaling(*quantize_multiplier(float(product) / float(np.float32(y.scale))))


def sum_rescalings(graph: Graph, op: Op) -> tuple[Rescaling, Rescaling, Rescaling]:
    """ADD and SUB: of the first input, the second, and their sum."""
    a, b, y = (float(np.float32(graph.tensor(i).scale)) for i in (*op.inputs, op.output))
    twice = 2.0 * max(a, b)
    return (
        Rescaling(*quantize_multiplier(a / twice)),
        Rescaling(*quantize_multiplier(b / twice)),
        Rescaling(*quantize_multiplier(twice / ((1 << SUM_LEFT_SHIFT) * y))),
    )


def accumulate(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """A FULLY_CONNECTED's int32 sums before requantizing, int64 [outputs]; bias and zero point are in."""
    weights = graph.tensor(op.inputs[1]).values.astype(np.int64)
    sums = weights @ (x.astype(np.int64).ravel() - graph.tensor(op.inputs[0]).zero_point)
    if op.inputs[2] >= 0:
        sums = sums + graph.tensor(op.inputs[2]).values.astype(np.int64).ravel()
    return sums


def requantize(graph: Graph, op: Op, sums: np.ndarray) -> np.ndarray:
    """A FULLY_CONNECTED's output of its sums, int8."""
    by = fully_connected_rescaling(graph, op)
    return _output(graph, op, rescale(sums, by.multiplier, by.shift))


def _output(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """Add the output's zero point and clamp; RELU clamps at the zero point."""
    zero = graph.tensor(op.output).zero_point
    y = x + zero
    return saturate(np.maximum(y, zero) if op.relu else y)


def _run_sum(graph: Graph, op: Op, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    by_a, by_b, by_sum = sum_rescalings(graph, op)
    terms = []
    for by, x, i in ((by_a, a, op.inputs[0]), (by_b, b, op.inputs[1])):
        shifted = (x.astype(np.int64).ravel() - graph.tensor(i).zero_point) << SUM_LEFT_SHIFT
        terms.append(rounding_shift(high_multiply(shifted, by.multiplier), -by.shift))
    total = terms[0] + terms[1] if op.kind == "ADD" else terms[0] - terms[1]
    return _output(graph, op, rounding_shift(high_multiply(total, by_sum.multiplier), -by_sum.shift))


def run_op(graph: Graph, op: Op, values: dict[int, np.ndarray]) -> np.ndarray:
    """One op's output, int8, flat [size]; `values` has what came before."""
    inputs = [values[i].ravel() if i in values else None for i in op.inputs]
    if op.kind == "GATHER":
        return graph.tensor(op.inputs[0]).values[int(inputs[1][0])]
    if op.kind == "FULLY_CONNECTED":
        return requantize(graph, op, accumulate(graph, op, inputs[0]))
    if op.kind == "MUL":
        by = mul_rescaling(graph, op)
        a, b = (x.astype(np.int64) - graph.tensor(i).zero_point for x, i in zip(inputs, op.inputs))
        return _output(graph, op, rescale(a * b, by.multiplier, by.shift))
    if op.kind in ("LOGISTIC", "TANH"):
        x = graph.tensor(op.inputs[0])
        return lookup_table(op.kind, x.scale, x.zero_point)[inputs[0].astype(np.int64) + 128]
    return _run_sum(graph, op, *inputs)


def run_graph(graph: Graph, inputs: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Every tensor's value after one run; `inputs` maps input tensor indices to int arrays."""
    values = {i: t.values for i, t in enumerate(graph.tensors) if t.values is not None} | inputs
    for op in graph.ops:
        values[op.output] = run_op(graph, op, values)
    return values


@dataclass(frozen=True)
class StepResult:
    """After one step: state int8 [H], context int8 [d], logits int8 [V], scores int64 [V] (the last op's sums)."""

    state: np.ndarray
    context: np.ndarray
    logits: np.ndarray
    scores: np.ndarray


def run_step(step: Step, row: int, state: np.ndarray) -> StepResult:
    """One step of a language model from `state` int8 [H] with the id `row`."""
    values = run_graph(step.graph, {step.id: np.array([row], np.int32), step.state: state})
    scores = accumulate(step.graph, step.output_op, values[step.context])
    return StepResult(values[step.next_state], values[step.context], values[step.logits], scores)


FNV_BASIS, FNV_PRIME = 2166136261, 16777619


def hash_bytes(content: bytes, start: int = FNV_BASIS) -> int:
    """FNV-1a, 32 bits (Fowler, Noll, Vo): what `tlm_network_hash` computes."""
    value = start
    for byte in content:
        value = ((value ^ byte) * FNV_PRIME) & 0xFFFFFFFF
    return value


def hash_steps(step: Step, start: int, stride: int, steps: int, run: object = run_step) -> int:
    """Hash of `steps` steps with ids (start + i * stride) % V from a zero state fed back: state, then logits, each step.

    `run` may be another implementation with run_step's signature (the oracle's, in tests).
    """
    state, value = np.zeros(step.hidden, np.int8), FNV_BASIS
    for i in range(steps):
        result = run(step, (start + i * stride) % step.rows, state)
        state = result.state
        value = hash_bytes(state.tobytes() + result.logits.tobytes(), value)
    return value
