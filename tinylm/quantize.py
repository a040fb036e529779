"""Float weights to an int8 step graph, its weights int8 or int4. Knows scales and where values lie; no file format, no text.

Every tensor is quantized per tensor and symmetrically (zero point 0, LOGISTIC's output apart), each gate with its own
scale, the state pinned at 1/128. A scale is the one that loses least: the mean squared error over calibration values
is tried for clips from 100 % down to 30 % (of 4 bits: 10 %) of the largest value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tinylm.errors import TinylmError
from tinylm.graph import Graph, Op, Tensor
from tinylm.network import GATES, NetworkShape
from tinylm.tying import widened

STATE_SCALE = 1 / 128
LARGEST = {8: 127, 4: 7}  # weight, by its bits
CLIPS = {8: np.linspace(1.0, 0.3, 29), 4: np.linspace(1.0, 0.1, 91)}
MOST_VALUES = 100_000  # of one tensor's calibration values that are looked at


def float_steps(shape: NetworkShape, w: dict[str, np.ndarray], ids: np.ndarray) -> dict[str, np.ndarray]:
    """Every intermediate of the float network over token rows `ids` int [B,T]; each value is [B*T, size].

    Row 0 in `ids` starts a new line: the state is cleared before it.
    """
    hidden, found = shape.hidden, {}
    h = np.zeros((len(ids), hidden), np.float32)
    for t in range(ids.shape[1]):
        h = h * (ids[:, t] != 0)[:, None]
        for name, value in float_step(shape, w, ids[:, t], h).items():
            found.setdefault(name, []).append(value)
        h = found["h_next"][-1]
    return {name: np.concatenate(values) for name, values in found.items()}


def float_step(shape: NetworkShape, w: dict[str, np.ndarray], ids: np.ndarray, h: np.ndarray) -> dict[str, np.ndarray]:
    """One step of the float network: ids int [B], state [B,H] -> every intermediate, each [B, size]."""
    hidden = shape.hidden
    if shape.kind == "word":
        x = w["embedding"][ids]
        a = x @ w["input"] + w["input_bias"]
    else:
        a = w["input"][ids] + w["input_bias"]
    u = h @ w["recurrent"]
    u[:, 2 * hidden :] += w["candidate_bias"]
    v = {}
    for g, gate in enumerate(GATES):
        part = slice(g * hidden, (g + 1) * hidden)
        v[f"a_{gate}"], v[f"u_{gate}"] = a[:, part], u[:, part]
    for gate in "zr":
        v[f"s_{gate}"] = v[f"a_{gate}"] + v[f"u_{gate}"]
        v[gate] = 1 / (1 + np.exp(-v[f"s_{gate}"]))
    v["rc"] = v["r"] * v["u_c"]
    v["s_c"] = v["a_c"] + v["rc"]
    v["c"] = np.tanh(v["s_c"])
    v["d"] = h - v["c"]
    v["m"] = v["z"] * v["d"]
    v["h_next"] = v["c"] + v["m"]
    table = w["embedding"] if shape.kind == "word" else w["output"]
    v["context"] = v["h_next"] @ w["project"] + w["project_bias"] if shape.kind == "word" else v["h_next"]
    v["logits"] = v["context"] @ table.T + w["output_bias"]
    return v


def best_scale(values: np.ndarray, limit: float | None = None, bits: int = 8) -> float:
    """The float32 scale with the least squared error of int8 (or of 4 bits); values beyond `limit` do not count (they
    saturate anyway)."""
    values = np.asarray(values, np.float32).ravel()
    if len(values) > MOST_VALUES:
        values = values[:: len(values) // MOST_VALUES + 1]
    if limit:
        values = np.clip(values, -limit, limit)
    largest, most = float(np.abs(values).max(initial=0.0)) or 1.0, LARGEST[bits]
    best, least = largest / most, np.inf
    exact = largest / np.arange(most, most // 2, -1)  # of values that were rounded before: their own scale
    for scale in np.concatenate([largest * CLIPS[bits] / most, exact if bits == 4 else []]):
        error = float(np.mean((np.clip(np.round(values / scale), -most, most) * scale - values) ** 2))
        if error < least:
            best, least = scale, error
    return float(np.float32(best))


def quantize_weights(values: np.ndarray, bits: int = 8) -> tuple[np.ndarray, float]:
    """Weights in -127..127, of 4 bits in -7..7, as int8, and their scale."""
    scale, most = best_scale(values, bits=bits), LARGEST[bits]
    return np.clip(np.round(values / scale), -most, most).astype(np.int8), scale


def weight_grid(shape: NetworkShape, w: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, int]]:
    """The grid that `quantize` rounds each matrix to, for training on it: name -> (scale that spreads over the array, largest multiple)."""
    bits = shape.weight_bits
    grid = {
        name: (np.float32(best_scale(w[name], bits=bits)), LARGEST[bits])
        for name in ("embedding", "project", "output")
        if name in w
    }
    for name in ("input", "recurrent") if shape.kind == "word" else ("recurrent",):
        scales = [
            np.full(shape.hidden, best_scale(part, bits=bits), np.float32)
            for part in np.split(w[name], len(GATES), axis=1)
        ]
        grid[name] = np.concatenate(scales), LARGEST[bits]
    return grid


def grid_of(shape: NetworkShape) -> Callable[[dict[str, np.ndarray]], dict[str, tuple[np.ndarray, int]]] | None:
    """The grid that weights of 4 bits are rounded to in the last part of training; None for 8 bits, which need none."""
    return partial(weight_grid, shape) if shape.weight_bits == 4 else None


def coarse_bias(values: np.ndarray, scale: float, bits: int) -> np.ndarray:
    """int32 biases that are multiples of a power of two, small enough for `bits` bits: fewer bytes in flash."""
    exact = np.round(values.astype(np.float64) / scale)
    largest = float(np.abs(exact).max(initial=0.0))
    shift = 0
    while round(largest / (1 << shift)) > (1 << (bits - 1)) - 1:
        shift += 1
    return (np.round(exact / (1 << shift)) * (1 << shift)).astype(np.int32)


@dataclass
class _Builder:
    """Collects tensors and ops; names are unique. `bits` of each weight."""

    tensors: list[Tensor]
    ops: list[Op]
    bits: int

    def add(
        self, name: str, size: int | tuple[int, ...], scale: float, zero: int = 0, values: np.ndarray | None = None
    ) -> int:
        shape = size if isinstance(size, tuple) else (1, size)
        dtype = "int8" if values is None or values.dtype == np.int8 else "int32"
        self.tensors.append(Tensor(name, shape, dtype, float(np.float32(scale)), zero, values))
        return len(self.tensors) - 1

    def op(self, kind: str, inputs: tuple[int, ...], name: str, size: int, scale: float, zero: int = 0) -> int:
        output = self.add(name, size, scale, zero)
        self.ops.append(Op(kind, inputs, output))
        return output

    def dense(self, x: int, weights: int, bias: np.ndarray | None, bits: int, name: str, scale: float) -> int:
        """FULLY_CONNECTED of tensor x with a weight tensor; `bias` float [outputs] or None."""
        w, held = self.tensors[weights], -1
        if bias is not None:
            unit = float(np.float32(self.tensors[x].scale) * np.float32(w.scale))
            values = coarse_bias(bias, unit, bits)
            held = self.add(f"{name}_bias", values.shape, unit, 0, values)
        return self.op("FULLY_CONNECTED", (x, weights, held), name, w.shape[0], scale)

    def matrix(self, name: str, values: np.ndarray) -> int:
        """A constant weight matrix [outputs, inputs]."""
        q, scale = quantize_weights(values, self.bits)
        found = self.add(name, q.shape, scale, 0, q)
        if self.bits == 4:
            self.tensors[found] = replace(self.tensors[found], dtype="int4")
        return found

    def table(self, name: str, values: np.ndarray) -> int:
        """A constant table [rows, size] of GATHER: int8 whatever the weights have."""
        q, scale = quantize_weights(values)
        return self.add(name, q.shape, scale, 0, q)

    def rows_of(self, matrix: int) -> int:
        """A matrix as a table of GATHER: itself, or its values as int8 (tinylm/tying.py)."""
        if self.bits == 8:
            return matrix
        self.tensors.append(widened(self.tensors[matrix]))
        return len(self.tensors) - 1


def quantize(shape: NetworkShape, w: dict[str, np.ndarray], calibration: np.ndarray) -> Graph:
    """The step graph of DESIGN.md, its weights of `shape.weight_bits`. `calibration`: token rows int [B,T] from text that was
    not trained on."""
    seen = float_steps(shape, w, calibration)
    limits = {"s_z": 8.0, "s_r": 8.0, "s_c": 4.0}  # LOGISTIC and TANH are flat beyond
    scale = {name: best_scale(values, limits.get(name)) for name, values in seen.items()}
    b = _Builder([], [], shape.weight_bits)
    row = b.tensors.append(Tensor("id", (1,), "int32")) or 0
    h = b.add("h", shape.hidden, STATE_SCALE)
    gates = _input_gates(b, shape, w, row, scale)
    for g, gate in enumerate(GATES):
        part = slice(g * shape.hidden, (g + 1) * shape.hidden)
        recurrent = b.matrix(f"recurrent_{gate}", np.ascontiguousarray(w["recurrent"][:, part].T))
        bias = w["candidate_bias"] if gate == "c" else None
        gates[f"u_{gate}"] = b.dense(h, recurrent, bias, 16, f"u_{gate}", scale[f"u_{gate}"])
    next_state = _mix(b, shape.hidden, gates, h, scale)
    if shape.kind == "word":
        project = b.matrix("project", np.ascontiguousarray(w["project"].T))
        context = b.dense(next_state, project, w["project_bias"], 16, "context", scale["context"])
        table = next(i for i, t in enumerate(b.tensors) if t.name == "embedding")
    else:
        context, table = next_state, b.matrix("output", w["output"])
    # Only differences of logits count, so the biases are centred: half the range, twice as fine.
    centred = w["output_bias"] - (w["output_bias"].max() + w["output_bias"].min()) / 2
    logits = b.dense(context, table, centred, 8, "logits", best_scale(seen["logits"] - w["output_bias"] + centred))
    outputs = (next_state, context, logits) if shape.kind == "word" else (next_state, logits)
    return Graph(tuple(b.tensors), tuple(b.ops), (row, h), outputs)


def _input_gates(
    b: _Builder, shape: NetworkShape, w: dict[str, np.ndarray], row: int, scale: dict[str, float]
) -> dict[str, int]:
    """The a_z, a_r, a_c tensors: from the tied embedding (word) or from one table a gate (character)."""
    gates, x = {}, -1
    if shape.kind == "word":
        table = b.matrix("embedding", w["embedding"])
        x = b.op("GATHER", (b.rows_of(table), row), "x", shape.embedding, b.tensors[table].scale)
    for g, gate in enumerate(GATES):
        part = slice(g * shape.hidden, (g + 1) * shape.hidden)
        if shape.kind == "word":
            weights = b.matrix(f"input_{gate}", np.ascontiguousarray(w["input"][:, part].T))
            gates[f"a_{gate}"] = b.dense(x, weights, w["input_bias"][part], 16, f"a_{gate}", scale[f"a_{gate}"])
        else:
            # The bias goes into the table: it costs nothing there.
            table = b.table(f"table_{gate}", w["input"][:, part] + w["input_bias"][part])
            gates[f"a_{gate}"] = b.op("GATHER", (table, row), f"a_{gate}", shape.hidden, b.tensors[table].scale)
    return gates


def _mix(b: _Builder, hidden: int, gates: dict[str, int], h: int, scale: dict[str, float]) -> int:
    """From gate sums to the next state: h' = c + z (h - c)."""

    def op(kind: str, name: str, *inputs: int) -> int:
        return b.op(kind, inputs, name, hidden, scale[name])

    s_z = op("ADD", "s_z", gates["a_z"], gates["u_z"])
    z = b.op("LOGISTIC", (s_z,), "z", hidden, 1 / 256, -128)
    s_r = op("ADD", "s_r", gates["a_r"], gates["u_r"])
    r = b.op("LOGISTIC", (s_r,), "r", hidden, 1 / 256, -128)
    s_c = op("ADD", "s_c", gates["a_c"], op("MUL", "rc", r, gates["u_c"]))
    c = b.op("TANH", (s_c,), "c", hidden, 1 / 128)
    m = op("MUL", "m", z, op("SUB", "d", h, c))
    return b.op("ADD", (c, m), "h_next", hidden, STATE_SCALE)


def dequantize(graph: Graph) -> tuple[NetworkShape, dict[str, np.ndarray]]:
    """Float32 weights of a word network that `quantize` made: what fine-tuning starts from.

    Raises TinylmError when the graph is another's: its tensors have other names.
    """
    tensors = {t.name: t for t in graph.tensors}

    def value(name: str) -> np.ndarray:
        t = tensors[name]
        return np.float32(t.scale) * (t.values.astype(np.float32) - np.float32(t.zero_point))

    try:
        weights = {
            "embedding": value("embedding"),
            "input": np.concatenate([value(f"input_{gate}").T for gate in GATES], axis=1),
            "project": value("project").T,
            "project_bias": value("context_bias"),
            "input_bias": np.concatenate([value(f"a_{gate}_bias") for gate in GATES]),
            "recurrent": np.concatenate([value(f"recurrent_{gate}").T for gate in GATES], axis=1),
            "candidate_bias": value("u_c_bias"),
            "output_bias": value("logits_bias"),
        }
    except (KeyError, AttributeError) as error:
        raise TinylmError(
            f"The network was not made by tinylm: it has no weights '{error.args[0]}'.", "Start from a shipped model."
        ) from error
    (rows, embedding), hidden = weights["embedding"].shape, weights["recurrent"].shape[0]
    shape = NetworkShape("word", rows, embedding, hidden, 4 if tensors["embedding"].dtype == "int4" else 8)
    return shape, {name: np.ascontiguousarray(weights[name]) for name in shape.weight_shapes}
