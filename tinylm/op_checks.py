"""Which ops, shapes, types and scales both runtimes (ours and TensorFlow Lite Micro) compute alike, bit for bit.

Knows what each op asks of its tensors, and what to use instead of the ops that are not here; computes nothing.
A graph that came through `check_graph` is safe to run. Anything else is refused with the op's name and number.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinylm.arithmetic import quantize_multiplier
from tinylm.graph import MOST_INPUTS, Graph, Op, quantized_alike, refuse, signature

LARGEST_BIAS = (1 << 29) - 1  # with the sum of the products and the zero point's share it stays below 2^30
SMALLEST_LOOKUP_SCALE = 2.0**-28  # TensorFlow Lite Micro's table needs no right shift above it
PINNED_SCALE = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
TYPES = ("int8", "int4", "int32")
ALL_INT8 = (
    "Quantize the whole model to int8, inputs and outputs too: a representative_dataset, supported_ops = [TFLITE_BUILTINS_INT8], "
    "inference_input_type = inference_output_type = tf.int8."
)
CONSTANT_INPUTS = {"GATHER": (0,), "FULLY_CONNECTED": (1, 2)}  # which inputs of an op must be constants
# What to use instead of the ops that people's models have most often.
INSTEAD = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "one LSTM step of FULLY_CONNECTED, ADD, LOGISTIC, TANH and MUL with explicit state "
    "(keras.layers.LSTMCell, not LSTM)",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "one step with explicit state (keras.layers.SimpleRNNCell, not SimpleRNN)",
    "WHILE": "one step with explicit state (keras.layers.GRUCell, not GRU): inputs id and h, outputs h and logits",
    "ONE_HOT": "GATHER on the embedding table (keras.layers.Embedding)",
    "SOFTMAX": "the logits: int8 probabilities below 1/512 become 0 (leave out activation='softmax')",
    "DEQUANTIZE": "int8 at the edges (converter.inference_input_type = inference_output_type = tf.int8)",
    "BATCH_MATMUL": "FULLY_CONNECTED (keras.layers.Dense on a [1, n] vector)",
    "RELU": "a RELU that is fused (keras.layers.Dense(activation='relu'))",
    "CAST": "int32 ids (keras.Input((), batch_size=1, dtype='int32'))",
    "VAR_HANDLE": "explicit state, and weights that are constants (model.export, then TFLiteConverter.from_saved_model)",
    "READ_VARIABLE": "weights that are constants (model.export, then TFLiteConverter.from_saved_model)",
}


def check_graph(graph: Graph) -> None:
    """Raise TinylmError unless every op's shapes, types and scales are ones that the runtimes compute."""
    constants = {i for i, t in enumerate(graph.tensors) if t.values is not None}
    if constants & set(graph.inputs) or len(set(graph.inputs)) < len(graph.inputs):
        refuse(f"its inputs are {signature(graph, graph.inputs)}: one is there twice or is a constant")
    known = set(graph.inputs) | constants
    for op in graph.ops:
        where = graph.where(op)
        if op.kind not in CHECKS:
            hint = INSTEAD.get(op.kind)
            refuse(f"{where} is not supported", f"Use {hint}." if hint else f"Supported are {', '.join(CHECKS)}.")
        for i in (*op.inputs, op.output):
            if i >= 0 and graph.tensor(i).dtype not in TYPES:
                refuse(f"{where}: tensor '{graph.tensor(i).name}' is {graph.tensor(i).dtype}; int8 is needed", ALL_INT8)
        for i in op.inputs:
            if i >= 0 and i not in known:
                refuse(f"{where} reads tensor {i}, which nothing has made")
        if op.output in known:
            refuse(f"{where} writes tensor {op.output}, which is already there")
        CHECKS[op.kind](graph, op, where)
        known.add(op.output)
    for i in graph.outputs:
        if i not in known:
            refuse(f"output tensor {i} is never made")


def _check_int8(graph: Graph, where: str, indices: tuple[int, ...]) -> None:
    for i in indices:
        tensor = graph.tensor(i)
        if tensor.dtype != "int8" or not (tensor.scale > 0 and math.isfinite(tensor.scale)):
            refuse(
                f"{where}: tensor '{tensor.name}' is {tensor.dtype} with scale {tensor.scale:g}, int8 is needed",
                ALL_INT8,
            )
        if not -128 <= tensor.zero_point <= 127:
            refuse(f"{where}: zero point {tensor.zero_point} of '{tensor.name}' is outside -128..127")
        if tensor.scales:
            refuse(
                f"{where}: tensor '{tensor.name}' has {len(tensor.scales)} scales; only weights of FULLY_CONNECTED may"
            )


def _check_computed(graph: Graph, op: Op, where: str) -> None:
    """That nothing but the constants an op must have is constant."""
    allowed = CONSTANT_INPUTS.get(op.kind, ())
    if any(n not in allowed and i >= 0 and graph.tensor(i).values is not None for n, i in enumerate(op.inputs)):
        refuse(f"{where} has a constant where a computed value is needed")


def _check_gather(graph: Graph, op: Op, where: str) -> None:
    _check_computed(graph, op, where)
    table, ids, out = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1]), graph.tensor(op.output)
    _check_int8(graph, where, (op.output,) if table.dtype == "int4" else (op.inputs[0], op.output))
    if table.values is None or len(table.shape) != 2:
        refuse(f"{where}: the table '{table.name}' must be a constant matrix")
    if ids.dtype != "int32" or op.inputs[1] not in graph.inputs:
        refuse(f"{where}: it looks up '{ids.name}', which is no id that goes in")
    if out.size != ids.size * table.shape[1] or not quantized_alike(table, out):
        refuse(f"{where}: shapes {table.shape}, {ids.shape}, {out.shape} or scales do not go together")


def _check_fully_connected(graph: Graph, op: Op, where: str) -> None:
    _check_computed(graph, op, where)
    x, w, y = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1]), graph.tensor(op.output)
    _check_int8(graph, where, (op.inputs[0], op.output))
    scales = np.array(w.scales or (w.scale,), np.float64)
    if (
        w.dtype not in ("int8", "int4")
        or (w.scales and w.dtype == "int4")
        or not (np.all(scales > 0) and np.all(np.isfinite(scales)))
    ):
        refuse(
            f"{where}: the weights '{w.name}' are {w.dtype} with {len(scales)} scales ({scales.min():g}); int8, or int4 per tensor"
        )
    if w.values is None or len(w.shape) != 2 or x.size != w.shape[1] or y.size != w.shape[0] or w.zero_point:
        refuse(f"{where}: input {x.shape}, weights {w.shape} (zero point {w.zero_point}), output {y.shape}")
    if len(scales) not in (1, w.shape[0]):
        refuse(f"{where}: {len(scales)} scales for {w.shape[0]} rows of weights")
    if x.size > MOST_INPUTS:
        refuse(f"{where}: {x.size} inputs, at most {MOST_INPUTS} keep the sums inside 32 bits")
    sums = max(x.zero_point + 128, 127 - x.zero_point) * np.abs(w.values.astype(np.int64)).sum(axis=1)
    units = np.float32(x.scale) * scales.astype(np.float32) if len(scales) == 1 else np.float64(x.scale) * scales
    if op.inputs[2] >= 0:
        sums = sums + _check_bias(graph, op, where, units)
    for unit, most in zip(units, [sums.max()] if len(units) == 1 else sums):
        _check_rescaling(float(unit) / y.scale, int(most), where)


def _check_bias(graph: Graph, op: Op, where: str, units: np.ndarray) -> np.ndarray:
    """The sizes of the biases, int64 [rows]."""
    bias, rows, y = graph.tensor(op.inputs[2]), graph.tensor(op.inputs[1]).shape[0], graph.tensor(op.output)
    if bias.values is None or bias.dtype != "int32" or bias.size != rows:
        refuse(f"{where}: the bias '{bias.name}' is {bias.dtype}{list(bias.shape)}")
    largest = np.abs(bias.values.astype(np.int64)).ravel()
    if largest.max(initial=0) > LARGEST_BIAS:
        refuse(f"{where}: the bias '{bias.name}' does not leave room for the sum in 32 bits")
    scales = np.array(bias.scales or (bias.scale,), np.float64)
    if len(scales) != len(units) or not np.all(np.abs(units - scales) / y.scale <= 0.02):  # TFLM's own condition
        refuse(f"{where}: the bias '{bias.name}' has scale {scales.max():g}, input times weights {units.max():g}")
    return largest


def _check_rescaling(real: float, largest: int, where: str) -> None:
    """Refuse a factor from sums of at most `largest` to an output that would leave 32 bits on its way."""
    if not 0 <= real < 1 << 31 or largest << max(0, quantize_multiplier(real)[1]) > (1 << 31) - 256:
        refuse(f"{where}: its output scale is too small for its inputs (a factor of {real:g})")


def _check_pairwise(graph: Graph, op: Op, where: str) -> None:
    a, b, y = (graph.tensor(i) for i in (*op.inputs, op.output))
    _check_int8(graph, where, (*op.inputs, op.output))
    if not graph.computed(op):
        refuse(f"{where} has a constant where a computed value is needed")
    if any(t.size != y.size and not (t.values is not None and t.size == 1) for t in (a, b)):
        refuse(f"{where}: shapes {a.shape}, {b.shape}, {y.shape} differ; only a constant may be a single number")
    if op.kind == "MUL":
        _check_rescaling(float(np.float32(a.scale) * np.float32(b.scale)) / y.scale, 255 * 255, where)
    elif quantize_multiplier(2 * max(a.scale, b.scale) / ((1 << 20) * y.scale))[1] > 0:
        refuse(f"{where}: output scale {y.scale:g} is too small for its inputs")


def _check_lookup(graph: Graph, op: Op, where: str) -> None:
    _check_computed(graph, op, where)
    _check_int8(graph, where, (op.inputs[0], op.output))
    x, y = graph.tensor(op.inputs[0]), graph.tensor(op.output)
    scale, zero = PINNED_SCALE[op.kind]
    if x.scale < SMALLEST_LOOKUP_SCALE:
        refuse(f"{where}: its input scale {x.scale:g} is below {SMALLEST_LOOKUP_SCALE:g}")
    if x.size != y.size or y.scale != scale or y.zero_point != zero:
        refuse(
            f"{where}: its output must have scale {scale:g} and zero point {zero}, it has {y.scale:g}, {y.zero_point}"
        )


def _check_quantize(graph: Graph, op: Op, where: str) -> None:
    _check_computed(graph, op, where)
    _check_int8(graph, where, (op.inputs[0], op.output))
    x, y = graph.tensor(op.inputs[0]), graph.tensor(op.output)
    if x.size != y.size:
        refuse(f"{where}: shapes {x.shape} and {y.shape} differ")
    _check_rescaling(x.scale / y.scale, 255, where)


def _check_moved(graph: Graph, op: Op, where: str) -> None:
    """SLICE and CONCATENATION: bytes as they are, in other places."""
    _check_computed(graph, op, where)
    _check_int8(graph, where, (*op.inputs, op.output))
    parts, y = [graph.tensor(i) for i in op.inputs], graph.tensor(op.output)
    if not all(quantized_alike(part, y) for part in parts):
        refuse(f"{where}: its inputs and its output differ in scale or zero point")
    size = sum(part.size for part in parts)
    if size != y.size if op.kind == "CONCATENATION" else not 0 <= op.begin <= size - y.size:
        refuse(f"{where}: {size} values in, {y.size} out from value {op.begin} on")


CHECKS: dict[str, Callable[[Graph, Op, str], None]] = {
    "GATHER": _check_gather,
    "FULLY_CONNECTED": _check_fully_connected,
    "ADD": _check_pairwise,
    "SUB": _check_pairwise,
    "MUL": _check_pairwise,
    "LOGISTIC": _check_lookup,
    "TANH": _check_lookup,
    "QUANTIZE": _check_quantize,
    "SLICE": _check_moved,
    "CONCATENATION": _check_moved,
}
