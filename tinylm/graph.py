"""The typed step graph of a .tflite, and what makes it a step of a language model. Knows tensors and ops; computes nothing.

A graph is made by tinylm/flatbuffer.py, which has checked it (tinylm/op_checks.py), or by tinylm/quantize.py. All values are
vectors: what only moves values (RESHAPE, SPLIT, ...) is gone, or has become a SLICE (tinylm/lowering.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import NoReturn

import numpy as np

from tinylm.errors import TinylmError

MOST_INPUTS = 4096  # of a layer, and values of any tensor but the logits: |sum| <= 2^14 * 2^12 = 2^26
MOST_ROWS = 65_535
MOST_WINDOW = 64  # ids
MOST_STATE_BYTES = 4096
MOST_UNITS_PER_NAT = 2_000_000  # TLM_MAX_UNITS
ID_BYTES = 2  # of each id of a window


@dataclass(frozen=True)
class Tensor:
    """int8 values stand for scale * (value - zero_point), int4 ones too; int32 ones are ids (scale 0) or biases.

    `scales`: of each row of a matrix (and of each bias) that is quantized per channel; `scale` is then the largest.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str  # int8, int32, or int4 (constants only)
    scale: float = 0.0  # a float32 value
    zero_point: int = 0
    values: np.ndarray | None = field(default=None, compare=False)  # constants: int8 (int4 too) or int32 [shape]
    scales: tuple[float, ...] = ()  # float32 values

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
    begin: int = 0  # SLICE: the first element taken
    number: int = field(default=-1, compare=False)  # in the file it came from


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

    def computed(self, op: Op) -> tuple[int, ...]:
        """The inputs of an op that are no constants."""
        return tuple(i for i in op.inputs if i >= 0 and self.tensors[i].values is None)

    def source(self, tensor: int) -> tuple[int, int]:
        """Where a tensor's values lie: a SLICE's in the tensor that it takes from, from which element on."""
        begin = 0
        for op in reversed(self.ops):
            if op.output == tensor and op.kind == "SLICE":
                tensor, begin = op.inputs[0], begin + op.begin
        return tensor, begin

    def where(self, op: Op) -> str:
        """What a person finds the op by: its number in the file, and its kind."""
        return f"op {op.number if op.number >= 0 else self.ops.index(op)} ({op.kind})"


def live_ops(graph: Graph, wanted: tuple[int, ...]) -> tuple[Op, ...]:
    """The ops that `wanted` tensors depend on, in order."""
    needed, live = set(wanted), []
    for op in reversed(graph.ops):
        if op.output in needed:
            needed.update(op.inputs)
            live.append(op)
    return tuple(reversed(live))


def prune(graph: Graph) -> Graph:
    """Without the ops that no output needs, and without the tensors that nothing names."""
    ops = live_ops(graph, graph.outputs)
    named = {*graph.inputs, *graph.outputs, *(i for op in ops for i in (*op.inputs, op.output)), -1}
    kept = [i for i in range(len(graph.tensors)) if i in named]
    at = {old: new for new, old in enumerate(kept)} | {-1: -1}

    def moved(indices: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(at[i] for i in indices)

    ops = tuple(replace(op, inputs=moved(op.inputs), output=at[op.output]) for op in ops)
    return Graph(tuple(graph.tensors[i] for i in kept), ops, moved(graph.inputs), moved(graph.outputs))


@dataclass(frozen=True)
class State:
    """A vector that is carried from step to step: tensor `before` in, `after` out; its place among the state's bytes."""

    before: int
    after: int
    offset: int
    size: int


@dataclass(frozen=True)
class Step:
    """A graph understood as one step of a language model: which tensor is which.

    `ids` holds the newest `window` ids, the newest last; `context` is the last op's input. The state's bytes are the
    ids (where window > 1; ID_BYTES each, little-endian, the oldest first), then each of `states`.
    """

    graph: Graph
    ids: int
    states: tuple[State, ...]
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
    def window(self) -> int:
        """How many ids the network sees at once."""
        return self.graph.tensor(self.ids).size

    @property
    def window_bytes(self) -> int:
        """Of the state: a single id need not be kept."""
        return ID_BYTES * self.window if self.window > 1 else 0

    @property
    def state_bytes(self) -> int:
        """Everything that is carried from step to step."""
        return self.window_bytes + sum(state.size for state in self.states)

    @property
    def units_per_nat(self) -> int:
        """Score units in one nat: accumulators of the last op, at the scale of its coarsest row."""
        return round(1.0 / bias_scale(self.graph, self.output_op))

    def start(self) -> np.ndarray:
        """The state before a line, int8 [state_bytes]: ids 0, vectors of real zeros."""
        state = np.zeros(self.state_bytes, np.int8)
        for part in self.states:
            state[part.offset : part.offset + part.size] = self.graph.tensor(part.before).zero_point
        return state

    def feed(self, row: int, state: np.ndarray) -> dict[int, np.ndarray]:
        """The graph's inputs for the id `row` after a state."""
        inputs = {s.before: state[s.offset : s.offset + s.size] for s in self.states}
        return inputs | {self.ids: np.append(self._window_of(state)[1:], np.int32(row))}

    def carry(self, ids: np.ndarray, values: dict[int, np.ndarray]) -> np.ndarray:
        """The state that a step leaves: what it was fed as ids, and its output values by tensor."""
        parts = [np.ravel(values[s.after]).astype(np.int8) for s in self.states]
        if self.window > 1:
            parts.insert(0, ids.astype("<u2").view(np.int8))
        return np.concatenate([np.zeros(0, np.int8), *parts])

    def _window_of(self, state: np.ndarray) -> np.ndarray:
        kept = np.ascontiguousarray(state[: self.window_bytes]).view("<u2").astype(np.int32)
        return kept if self.window > 1 else np.zeros(1, np.int32)


def bias_scale(graph: Graph, op: Op) -> float:
    """Scale of a FULLY_CONNECTED's accumulator (per channel: of its coarsest row): input scale times weight scale."""
    return graph.tensor(op.inputs[0]).scale * graph.tensor(op.inputs[1]).scale


def refuse(what: str, hint: str = "") -> NoReturn:
    """Raise what is wrong with a .tflite."""
    raise TinylmError(f"The .tflite cannot be used: {what}.", hint or "docs/SPEC.md lists the step graphs that can.")


def next_names(name: str) -> tuple[str, ...]:
    """What the output may be called that an input of this name is next."""
    return f"{name}_next", f"next_{name}", f"{name}_out", f"new_{name}", f"{name}_new"


def understand_step(graph: Graph) -> Step:
    """Find ids, states and logits among a graph's inputs and outputs.

    Raises TinylmError when the graph is not a step: int32 ids and int8 states in, those states and logits out.
    """
    ids = [i for i in graph.inputs if graph.tensor(i).dtype == "int32"]
    before = [i for i in graph.inputs if graph.tensor(i).dtype == "int8"]
    if len(ids) != 1 or not 1 <= graph.tensor(ids[0]).size <= MOST_WINDOW:
        refuse(
            f"its inputs are {signature(graph, graph.inputs)}, not one int32 id (or a window of 2 to {MOST_WINDOW} ids) and int8 states"
        )
    if not before and graph.tensor(ids[0]).size == 1:
        refuse(f"its inputs are {signature(graph, graph.inputs)}: without a state it forgets all but one word",
               "Give it states (h int8[1,H] in and out), or a window of ids (int32[1,n]).")  # fmt: skip
    made = {op.output: op for op in graph.ops}
    logits = find_logits(graph)
    at, states = ID_BYTES * graph.tensor(ids[0]).size if graph.tensor(ids[0]).size > 1 else 0, []
    for i, after in pair_states(graph, before, logits).items():
        if not quantized_alike(graph.tensor(i), graph.tensor(after)):
            _refuse_outputs(graph, graph.tensor(i))
        states.append(State(i, after, at, graph.tensor(i).size))
        at += graph.tensor(i).size
    step = Step(graph, ids[0], tuple(states), made[logits].inputs[0], logits)
    _check_step(step)
    return step


def find_logits(graph: Graph) -> int:
    """The output that a last FULLY_CONNECTED makes; of several, the one called logits."""
    made = {op.output: op for op in graph.ops}
    last = [
        i
        for i in graph.outputs
        if i in made and made[i].kind == "FULLY_CONNECTED" and all(i not in op.inputs for op in graph.ops)
    ]
    called = [i for i in last if graph.tensor(i).name == "logits"] if len(last) > 1 else last
    if len(called) != 1:
        _refuse_outputs(graph)
    return called[0]


def pair_states(graph: Graph, before: list[int], logits: int) -> dict[int, int]:
    """State input -> the output that it is next: by name, else the only one of its size and quantization, or of its size."""
    free = [i for i in graph.outputs if i != logits and graph.tensor(i).values is None]
    pairs: dict[int, int] = {}
    for i in before:
        names = next_names(graph.tensor(i).name)
        if found := [o for o in free if graph.tensor(o).name in names and graph.tensor(o).size == graph.tensor(i).size]:
            pairs[i] = found[0]
            free.remove(found[0])
    for i in (i for i in before if i not in pairs):
        state = graph.tensor(i)
        sized = [o for o in free if graph.tensor(o).dtype == "int8" and graph.tensor(o).size == state.size]
        alike = [o for o in sized if quantized_alike(graph.tensor(o), state)]
        found = alike or sized
        if not found:
            _refuse_outputs(graph, state)
        if len(found) > 1:
            called = ", ".join(f"'{graph.tensor(o).name}'" for o in found)
            refuse(f"the state '{state.name}' may be {called} after the step",
                   f"Name the outputs: keras.Model(inputs, {{'logits': logits, '{state.name}': ...}}), then model.export.")  # fmt: skip
        pairs[i] = found[0]
        free.remove(found[0])
    return {i: pairs[i] for i in before}


def _refuse_outputs(graph: Graph, state: Tensor | None = None) -> NoReturn:
    needed = f"a state quantized like the input '{state.name}' (scale {state.scale:.6g}) and " if state else ""
    refuse(f"its outputs are {signature(graph, graph.outputs)}, not {needed}the logits of a last FULLY_CONNECTED")


def _check_step(step: Step) -> None:
    """What the generated C relies on beyond check_graph."""
    graph = step.graph
    if graph.source(step.context)[0] in graph.inputs:
        refuse("its logits are made of the old state; they must be made of the new one")
    for state in step.states:
        if graph.source(state.after)[0] in graph.inputs:
            refuse(f"the state '{graph.tensor(state.before).name}' is after the step what another was before")
    if step.state_bytes > MOST_STATE_BYTES:
        refuse(f"it carries {step.state_bytes:,} bytes from step to step; at most {MOST_STATE_BYTES:,} are allowed")
    if not 1 <= step.units_per_nat <= MOST_UNITS_PER_NAT:
        refuse(f"a nat is {step.units_per_nat} units of its logits' sums; 1 to {MOST_UNITS_PER_NAT:,} are allowed")
    if not 2 <= step.rows <= MOST_ROWS:
        refuse(f"it has {step.rows:,} logits; 2 to {MOST_ROWS:,} are allowed")
    for op in graph.ops:
        table = graph.tensor(op.inputs[0])
        if op.kind == "GATHER" and table.shape[0] < step.rows:
            refuse(f"{graph.where(op)}: its table has {table.shape[0]} rows for {step.rows} ids (one a logit)")
        if op.output != step.logits and graph.tensor(op.output).size > MOST_INPUTS:
            refuse(f"{graph.where(op)} makes {graph.tensor(op.output).size:,} values; at most {MOST_INPUTS:,}")


def quantized_alike(a: Tensor, b: Tensor) -> bool:
    """Whether equal bytes are equal values."""
    return a.scale == b.scale and a.zero_point == b.zero_point and a.scales == b.scales


def signature(graph: Graph, indices: tuple[int, ...]) -> str:
    """Names, types and shapes of tensors, for people."""
    named = (graph.tensor(i) for i in indices)
    return ", ".join(f"{t.name} {t.dtype}{list(t.shape)}" for t in named) or "none"
