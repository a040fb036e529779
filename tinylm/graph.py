"""The typed step graph of a .tflite: reads, checks and writes it. Knows tensors and ops; computes nothing.

A graph that came through `read_tflite` is safe to run: shapes agree, constants are whole, every op is one that both
runtimes (ours and TensorFlow Lite Micro) compute alike, bit for bit. Anything else is refused with the op's name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tinylm.arithmetic import quantize_multiplier
from tinylm.errors import TinylmError

KINDS = ("GATHER", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "LOGISTIC", "TANH")
# What to use instead of the ops that people's models have most often.
INSTEAD = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "one LSTM step of FULLY_CONNECTED, ADD, LOGISTIC, TANH and MUL with explicit state",
    "WHILE": "one step with explicit state: inputs id and h, outputs h and logits",
    "ONE_HOT": "GATHER on the embedding table",
    "SOFTMAX": "the logits: int8 probabilities below 1/512 become 0",
}
MOST_INPUTS = 4096  # of a layer, and values of any tensor but the logits: |sum| <= 2^14 * 2^12 = 2^26
MOST_ROWS = 65_535
LARGEST_BIAS = (1 << 29) - 1  # with the sum of the products and the zero point's share it stays below 2^30
MOST_UNITS_PER_NAT = 2_000_000  # TLM_MAX_UNITS
SMALLEST_LOOKUP_SCALE = 2.0**-28  # TensorFlow Lite Micro's table needs no right shift above it
PINNED_SCALE = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


@dataclass(frozen=True)
class Tensor:
    """int8 values stand for scale * (value - zero_point); int32 ones are ids (scale 0) or biases (zero_point 0)."""

    name: str
    shape: tuple[int, ...]
    dtype: str  # int8 or int32
    scale: float = 0.0  # a float32 value
    zero_point: int = 0
    values: np.ndarray | None = field(default=None, compare=False)  # constants: int8 or int32 [shape]

    @property
    def size(self) -> int:
        """How many elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Op:
    """One operator: tensor indices in and out; -1 where an optional input (a bias) is absent."""

    kind: str
    inputs: tuple[int, ...]
    output: int
    relu: bool = False


@dataclass(frozen=True)
class Graph:
    """Ops in the order they run; `inputs` and `outputs` are tensor indices."""

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def tensor(self, index: int) -> Tensor:
        """The tensor of an index that an op names."""
        return self.tensors[index]


@dataclass(frozen=True)
class Step:
    """A graph understood as one step of a language model: which tensor is which.

    `context` is the last op's input, `hidden` H its state's size, `rows` V.
    """

    graph: Graph
    id: int
    state: int
    next_state: int
    context: int
    logits: int

    @property
    def output_op(self) -> Op:
        """The FULLY_CONNECTED that makes the logits."""
        return next(op for op in self.graph.ops if op.output == self.logits)

    @property
    def rows(self) -> int:
        """V: rows of the output layer."""
        return self.graph.tensor(self.logits).size

    @property
    def hidden(self) -> int:
        """H: bytes of state."""
        return self.graph.tensor(self.state).size

    @property
    def units_per_nat(self) -> int:
        """Score units (accumulators of the last op) in one nat."""
        return round(1.0 / bias_scale(self.graph, self.output_op))


def bias_scale(graph: Graph, op: Op) -> float:
    """Scale of a FULLY_CONNECTED's accumulator: input scale times weight scale."""
    return graph.tensor(op.inputs[0]).scale * graph.tensor(op.inputs[1]).scale


def _refuse(what: str, hint: str = "") -> None:
    raise TinylmError(f"The .tflite cannot be used: {what}.", hint or "docs/SPEC.md lists the step graphs that can.")


def understand_step(graph: Graph) -> Step:
    """Find id, state and logits among a graph's inputs and outputs.

    Raises TinylmError when the graph is not a step: one int32 id and one int8 state in, that state and logits out.
    """
    ids = [i for i in graph.inputs if graph.tensor(i).dtype == "int32"]
    states = [i for i in graph.inputs if graph.tensor(i).dtype == "int8"]
    if len(ids) != 1 or len(states) != 1 or graph.tensor(ids[0]).size != 1:
        _refuse(f"its inputs are {_signature(graph, graph.inputs)}, not one int32[1] id and one int8 state")
    state = graph.tensor(states[0])
    made = {op.output: op for op in graph.ops}
    logits = [i for i in graph.outputs if i in made and made[i].kind == "FULLY_CONNECTED" and _is_last(graph, i)]
    alike = [i for i in graph.outputs if i in made and i not in logits and graph.tensor(i).size == state.size]
    same = [i for i in alike if _quantized_alike(graph.tensor(i), state)]
    if len(logits) != 1 or not same:
        _refuse(
            f"its outputs are {_signature(graph, graph.outputs)}, not a state quantized like the input "
            f"(scale {state.scale:.6g}) and the logits of a last FULLY_CONNECTED"
        )
    step = Step(graph, ids[0], states[0], same[0], made[logits[0]].inputs[0], logits[0])
    _check_step(step)
    return step


def _check_step(step: Step) -> None:
    """What the generated C relies on beyond check_graph."""
    graph = step.graph
    if step.context == step.state:
        _refuse("its logits are made of the old state; they must be made of the new one")
    if not 1 <= step.units_per_nat <= MOST_UNITS_PER_NAT:
        _refuse(f"a nat is {step.units_per_nat} units of its logits' sums; 1 to {MOST_UNITS_PER_NAT:,} are allowed")
    if not 2 <= step.rows <= MOST_ROWS:
        _refuse(f"it has {step.rows:,} logits; 2 to {MOST_ROWS:,} are allowed")
    for number, op in enumerate(graph.ops):
        table = graph.tensor(op.inputs[0])
        if op.kind == "GATHER" and table.shape[0] < step.rows:
            _refuse(f"op {number} (GATHER): its table has {table.shape[0]} rows for {step.rows} ids (one a logit)")
        if op.output != step.logits and graph.tensor(op.output).size > MOST_INPUTS:
            _refuse(f"op {number} ({op.kind}) makes {graph.tensor(op.output).size:,} values; at most {MOST_INPUTS:,}")


def _is_last(graph: Graph, index: int) -> bool:
    return all(index not in op.inputs for op in graph.ops)


def _quantized_alike(a: Tensor, b: Tensor) -> bool:
    return a.scale == b.scale and a.zero_point == b.zero_point


def _signature(graph: Graph, indices: tuple[int, ...]) -> str:
    named = (graph.tensor(i) for i in indices)
    return ", ".join(f"{t.name} {t.dtype}{list(t.shape)}" for t in named) or "none"


def check_graph(graph: Graph) -> None:
    """Raise TinylmError unless every op's shapes, types and scales are ones that the runtimes compute."""
    constants = {i for i, t in enumerate(graph.tensors) if t.values is not None}
    if constants & set(graph.inputs) or len(set(graph.inputs)) < len(graph.inputs):
        _refuse(f"its inputs are {_signature(graph, graph.inputs)}: one is there twice or is a constant")
    known = set(graph.inputs) | constants
    for number, op in enumerate(graph.ops):
        where = f"op {number} ({op.kind})"
        for i in op.inputs:
            if i >= 0 and i not in known:
                _refuse(f"{where} reads tensor {i}, which nothing has made")
        if op.output in known:
            _refuse(f"{where} writes tensor {op.output}, which is already there")
        computed = {"GATHER": op.inputs[1:], "FULLY_CONNECTED": op.inputs[:1]}.get(op.kind, op.inputs)
        if constants.intersection(computed):
            _refuse(f"{where} has a constant where a computed value is needed")
        _CHECKS[op.kind](graph, op, where)
        known.add(op.output)
    for i in graph.outputs:
        if i not in known:
            _refuse(f"output tensor {i} is never made")


def _check_int8(graph: Graph, op: Op, where: str, indices: tuple[int, ...]) -> None:
    for i in indices:
        tensor = graph.tensor(i)
        if tensor.dtype != "int8" or not (tensor.scale > 0 and math.isfinite(tensor.scale)):
            _refuse(f"{where}: tensor '{tensor.name}' is {tensor.dtype} with scale {tensor.scale:g}, int8 is needed")
        if not -128 <= tensor.zero_point <= 127:
            _refuse(f"{where}: zero point {tensor.zero_point} of '{tensor.name}' is outside -128..127")


def _check_gather(graph: Graph, op: Op, where: str) -> None:
    table, ids, out = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1]), graph.tensor(op.output)
    _check_int8(graph, op, where, (op.inputs[0], op.output))
    if table.values is None or len(table.shape) != 2:
        _refuse(f"{where}: the table '{table.name}' must be a constant matrix")
    if ids.dtype != "int32" or ids.size != 1 or out.size != table.shape[1] or not _quantized_alike(table, out):
        _refuse(f"{where}: shapes {table.shape}, {ids.shape}, {out.shape} or scales do not go together")


def _check_fully_connected(graph: Graph, op: Op, where: str) -> None:
    x, w, y = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1]), graph.tensor(op.output)
    _check_int8(graph, op, where, (*op.inputs[:2], op.output))
    if w.values is None or len(w.shape) != 2 or x.size != w.shape[1] or y.size != w.shape[0] or w.zero_point:
        _refuse(f"{where}: input {x.shape}, weights {w.shape} (zero point {w.zero_point}), output {y.shape}")
    if x.size > MOST_INPUTS:
        _refuse(f"{where}: {x.size} inputs, at most {MOST_INPUTS} keep the sums inside 32 bits")
    unit, least = float(np.float32(x.scale) * np.float32(w.scale)), max(x.zero_point + 128, 127 - x.zero_point)
    sums = least * np.abs(w.values.astype(np.int64)).sum(axis=1)
    if op.inputs[2] >= 0:
        bias = graph.tensor(op.inputs[2])
        if bias.values is None or bias.dtype != "int32" or bias.size != w.shape[0]:
            _refuse(f"{where}: the bias '{bias.name}' is {bias.dtype}{list(bias.shape)}")
        largest = np.abs(bias.values.astype(np.int64)).ravel()
        if largest.max(initial=0) > LARGEST_BIAS:
            _refuse(f"{where}: the bias '{bias.name}' does not leave room for the sum in 32 bits")
        if not abs(unit - bias.scale) / y.scale <= 0.02:  # TensorFlow Lite Micro's own condition
            _refuse(f"{where}: the bias '{bias.name}' has scale {bias.scale:g}, input times weights {unit:g}")
        sums = sums + largest
    _check_rescaling(unit / y.scale, int(sums.max()), where)


def _check_rescaling(real: float, largest: int, where: str) -> None:
    """Refuse a factor from sums of at most `largest` to an output that would leave 32 bits on its way."""
    if not 0 <= real < 1 << 31 or largest << max(0, quantize_multiplier(real)[1]) > (1 << 31) - 256:
        _refuse(f"{where}: its output scale is too small for its inputs (a factor of {real:g})")


def _check_pairwise(graph: Graph, op: Op, where: str) -> None:
    a, b, y = (graph.tensor(i) for i in (*op.inputs, op.output))
    _check_int8(graph, op, where, (*op.inputs, op.output))
    if not a.size == b.size == y.size:
        _refuse(f"{where}: shapes {a.shape}, {b.shape}, {y.shape} differ; broadcasting is not done")
    if op.kind == "MUL":
        _check_rescaling(float(np.float32(a.scale) * np.float32(b.scale)) / y.scale, 255 * 255, where)
    elif quantize_multiplier(2 * max(a.scale, b.scale) / ((1 << 20) * y.scale))[1] > 0:
        _refuse(f"{where}: output scale {y.scale:g} is too small for its inputs")


def _check_lookup(graph: Graph, op: Op, where: str) -> None:
    _check_int8(graph, op, where, (op.inputs[0], op.output))
    x, y = graph.tensor(op.inputs[0]), graph.tensor(op.output)
    scale, zero = PINNED_SCALE[op.kind]
    if x.scale < SMALLEST_LOOKUP_SCALE:
        _refuse(f"{where}: its input scale {x.scale:g} is below {SMALLEST_LOOKUP_SCALE:g}")
    if x.size != y.size or y.scale != scale or y.zero_point != zero:
        _refuse(
            f"{where}: its output must have scale {scale:g} and zero point {zero}, it has {y.scale:g}, {y.zero_point}"
        )


_CHECKS = {
    "GATHER": _check_gather,
    "FULLY_CONNECTED": _check_fully_connected,
    "ADD": _check_pairwise,
    "SUB": _check_pairwise,
    "MUL": _check_pairwise,
    "LOGISTIC": _check_lookup,
    "TANH": _check_lookup,
}
