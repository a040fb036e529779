"""The NumPy reference of a step graph: one place that says what every chip must answer. Knows ops; no C, no text.

It computes what TensorFlow Lite Micro computes, bit for bit; tests hold it against that oracle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinylm.arithmetic import high_multiply, lookup_table, quantize_multiplier, rescale, rounding_shift, saturate
from tinylm.graph import Graph, Op, Step

SUM_LEFT_SHIFT = 20
LARGEST_FACTOR = (1 << 31) - 1
Values = dict[int, np.ndarray]


@dataclass(frozen=True)
class Rescaling:
    """Multiplier and shift of one product: real ~ multiplier * 2^(shift - 31)."""

    multiplier: int
    shift: int


def fully_connected_rescaling(graph: Graph, op: Op) -> Rescaling:
    """Per tensor: float32(input scale * weight scale) / output scale."""
    x, w, y = (graph.tensor(i) for i in (*op.inputs[:2], op.output))
    product = np.float32(x.scale) * np.float32(w.scale)
    return Rescaling(*quantize_multiplier(float(product) / float(np.float32(y.scale))))


def channel_rescalings(graph: Graph, op: Op) -> tuple[Rescaling, ...]:
    """Per channel, of each row: input scale * weight scale / output scale, in double."""
    x, w, y = (graph.tensor(i) for i in (*op.inputs[:2], op.output))
    return tuple(Rescaling(*quantize_multiplier(x.scale * scale / y.scale)) for scale in w.scales)


def score_factors(graph: Graph, op: Op) -> np.ndarray:
    """Per channel: what makes the rows' sums comparable, in 2^-31 of the coarsest row's unit; int64 [rows]."""
    w = graph.tensor(op.inputs[1])
    return np.minimum(np.round(np.array(w.scales) / w.scale * (1 << 31)), LARGEST_FACTOR).astype(np.int64)


def quantize_rescaling(graph: Graph, op: Op) -> Rescaling:
    """QUANTIZE: input scale over output scale."""
    return Rescaling(*quantize_multiplier(graph.tensor(op.inputs[0]).scale / graph.tensor(op.output).scale))


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


def scores_of(graph: Graph, op: Op, sums: np.ndarray) -> np.ndarray:
    """What rows are ranked by, of the last op's sums: these, but per channel all at one scale, rounded down."""
    if not graph.tensor(op.inputs[1]).scales:
        return sums
    return sums * score_factors(graph, op) >> 31


def requantize(graph: Graph, op: Op, sums: np.ndarray) -> np.ndarray:
    """A FULLY_CONNECTED's output of its sums, int8."""
    if graph.tensor(op.inputs[1]).scales:
        pairs = zip(sums, channel_rescalings(graph, op), strict=True)
        scaled = np.array([int(rescale(x, by.multiplier, by.shift)) for x, by in pairs], np.int64)
        return _output(graph, op, scaled)
    by = fully_connected_rescaling(graph, op)
    return _output(graph, op, rescale(sums, by.multiplier, by.shift))


def _output(graph: Graph, op: Op, x: np.ndarray) -> np.ndarray:
    """Add the output's zero point and clamp; RELU clamps at the zero point."""
    zero = graph.tensor(op.output).zero_point
    y = x + zero
    return saturate(np.maximum(y, zero) if op.relu else y)


def _centred(graph: Graph, values: Values, tensor: int) -> np.ndarray:
    return values[tensor].astype(np.int64).ravel() - graph.tensor(tensor).zero_point


def _run_gather(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return graph.tensor(op.inputs[0]).values[values[op.inputs[1]].ravel()].ravel()


def _run_fully_connected(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return requantize(graph, op, accumulate(graph, op, values[op.inputs[0]]))


def _run_sum(graph: Graph, op: Op, values: Values) -> np.ndarray:
    by_a, by_b, by_sum = sum_rescalings(graph, op)
    terms = []
    for by, i in ((by_a, op.inputs[0]), (by_b, op.inputs[1])):
        shifted = _centred(graph, values, i) << SUM_LEFT_SHIFT
        terms.append(rounding_shift(high_multiply(shifted, by.multiplier), -by.shift))
    total = terms[0] + terms[1] if op.kind == "ADD" else terms[0] - terms[1]
    return _output(graph, op, rounding_shift(high_multiply(total, by_sum.multiplier), -by_sum.shift))


def _run_mul(graph: Graph, op: Op, values: Values) -> np.ndarray:
    by = mul_rescaling(graph, op)
    product = _centred(graph, values, op.inputs[0]) * _centred(graph, values, op.inputs[1])
    return _output(graph, op, rescale(product, by.multiplier, by.shift))


def _run_lookup(graph: Graph, op: Op, values: Values) -> np.ndarray:
    x = graph.tensor(op.inputs[0])
    return lookup_table(op.kind, x.scale, x.zero_point)[values[op.inputs[0]].astype(np.int64).ravel() + 128]


def _run_quantize(graph: Graph, op: Op, values: Values) -> np.ndarray:
    by = quantize_rescaling(graph, op)
    return _output(graph, op, rescale(_centred(graph, values, op.inputs[0]), by.multiplier, by.shift))


def _run_slice(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return values[op.inputs[0]].ravel()[op.begin : op.begin + graph.tensor(op.output).size]


def _run_concatenation(graph: Graph, op: Op, values: Values) -> np.ndarray:
    return np.concatenate([values[i].ravel() for i in op.inputs])


RUNS: dict[str, Callable[[Graph, Op, Values], np.ndarray]] = {
    "GATHER": _run_gather,
    "FULLY_CONNECTED": _run_fully_connected,
    "ADD": _run_sum,
    "SUB": _run_sum,
    "MUL": _run_mul,
    "LOGISTIC": _run_lookup,
    "TANH": _run_lookup,
    "QUANTIZE": _run_quantize,
    "SLICE": _run_slice,
    "CONCATENATION": _run_concatenation,
}


def run_op(graph: Graph, op: Op, values: Values) -> np.ndarray:
    """One op's output, int8, flat [size]; `values` has what it reads, constants too."""
    return RUNS[op.kind](graph, op, values)


def constants(graph: Graph) -> Values:
    """The values of the constant tensors."""
    return {i: t.values for i, t in enumerate(graph.tensors) if t.values is not None}


def run_graph(graph: Graph, inputs: Values) -> Values:
    """Every tensor's value after one run; `inputs` maps input tensor indices to int arrays."""
    values = constants(graph) | inputs
    for op in graph.ops:
        values[op.output] = run_op(graph, op, values)
    return values


@dataclass(frozen=True)
class StepResult:
    """After one step: state int8 [state_bytes], context int8 [d], logits int8 [V], scores int64 [V]."""

    state: np.ndarray
    context: np.ndarray
    logits: np.ndarray
    scores: np.ndarray


def run_step(step: Step, row: int, state: np.ndarray) -> StepResult:
    """One step of a language model from `state` int8 [state_bytes] with the id `row`."""
    inputs = step.feed(row, state)
    values = run_graph(step.graph, inputs)
    scores = scores_of(step.graph, step.output_op, accumulate(step.graph, step.output_op, values[step.context]))
    return StepResult(step.carry(inputs[step.ids], values), values[step.context], values[step.logits], scores)


FNV_BASIS, FNV_PRIME = 2166136261, 16777619


def hash_bytes(content: bytes, start: int = FNV_BASIS) -> int:
    """FNV-1a, 32 bits (Fowler, Noll, Vo): what `tlm_network_hash` computes."""
    value = start
    for byte in content:
        value = ((value ^ byte) * FNV_PRIME) & 0xFFFFFFFF
    return value


def hash_steps(step: Step, start: int, stride: int, steps: int, run: object = run_step) -> int:
    """Hash of `steps` steps with ids (start + i * stride) % V from the first state fed back: state, then logits, each step.

    `run` may be another implementation with run_step's signature (the oracle's, in tests).
    """
    state, value = step.start(), FNV_BASIS
    for i in range(steps):
        result = run(step, (start + i * stride) % step.rows, state)
        state = result.state
        value = hash_bytes(state.tobytes() + result.logits.tobytes(), value)
    return value
