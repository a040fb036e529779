"""Random step graphs of every op, for tests: one id and one state in, state and logits out, in any sizes and scales."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tinylm.errors import TinylmError
from tinylm.graph import Graph, Op, Step, Tensor, understand_step
from tinylm.network import NetworkShape, initial_weights
from tinylm.op_checks import check_graph
from tinylm.quantize import quantize

LOOKUPS = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


@dataclass
class Maker:
    """Collects tensors and ops; `draw` decides (hypothesis' st.randoms() shrinks, random.Random(seed) does not)."""

    draw: random.Random
    most: int  # the largest size
    tensors: list[Tensor]
    ops: list[Op]
    made: list[int]

    def size(self) -> int:
        return self.draw.randint(1, self.most)

    def scale(self, around: float = 0.0) -> float:
        """A float32; mostly of a usual size, near `around` where given, now and then extreme."""
        kind = self.draw.randint(0, 19)
        exponent = self.draw.uniform(-20, 20) if kind == 19 else self.draw.uniform(-8, -4)
        real = around * 2 ** self.draw.uniform(-1, 2) if around and kind < 18 else 2.0**exponent
        if kind == 0:  # powers of two: multipliers at the edge of their range
            real = 2.0 ** round(np.log2(real))
        return float(np.float32(real))

    def zero(self) -> int:
        return self.draw.choice((0, 0, 0, 0, self.draw.randint(-50, 50), self.draw.randint(-50, 50), -128, 127))

    def values(self, shape: tuple[int, ...], low: int = -128, high: int = 127) -> np.ndarray:
        rng = np.random.default_rng(self.draw.randint(0, 1 << 30))
        if self.draw.randint(0, 7) == 0:
            return np.where(rng.random(shape) < 0.5, low, high)
        return rng.integers(low, high + 1, shape)

    def add(self, size: int | tuple[int, ...], scale: float, zero: int = 0, values: np.ndarray | None = None) -> int:
        shape = size if isinstance(size, tuple) else (1, size)
        dtype = "int8" if values is None or values.dtype == np.int8 else "int32"
        self.tensors.append(Tensor(f"t{len(self.tensors)}", shape, dtype, scale, zero, values))
        return len(self.tensors) - 1

    def apply(self, kind: str, inputs: tuple[int, ...], size: int, scale: float, zero: int) -> int:
        output = self.add(size, scale, zero)
        relu = kind in ("FULLY_CONNECTED", "ADD", "SUB", "MUL") and self.draw.randint(0, 5) == 0
        self.ops.append(Op(kind, inputs, output, relu))
        self.made.append(output)
        return output

    def embedding(self, rows: int, width: int, window: int = 1) -> int:
        """A GATHER of each id's row."""
        table = self.add((rows, width), self.scale(), self.zero(), self.values((rows, width)).astype(np.int8))
        return self.apply(
            "GATHER", (table, 0), window * width, self.tensors[table].scale, self.tensors[table].zero_point
        )

    def dense(self, x: int, size: int) -> int:
        """A FULLY_CONNECTED with any weights and mostly an output scale near what they need."""
        inputs, weight_scale = self.tensors[x].size, self.scale()
        weights = self.add((size, inputs), weight_scale, 0, self.values((size, inputs)).astype(np.int8))
        unit, bias = float(np.float32(self.tensors[x].scale) * np.float32(weight_scale)), -1
        if self.draw.randint(0, 2):
            most = 1 << self.draw.choice((4, 8, 12, 14, 20))
            bias = self.add((size,), unit, 0, self.values((size,), -most, most).astype(np.int32))
        return self.apply(
            "FULLY_CONNECTED", (x, weights, bias), size, self.scale(unit * 90 * np.sqrt(inputs)), self.zero()
        )

    def pair(self, kind: str) -> int:
        a = self.draw.choice(self.made)
        size = self.tensors[a].size
        b = self.draw.choice([i for i in self.made if self.tensors[i].size == size])
        sa, sb = self.tensors[a].scale, self.tensors[b].scale
        return self.apply(kind, (a, b), size, self.scale(sa * sb * 128 if kind == "MUL" else max(sa, sb)), self.zero())

    def lookup(self, kind: str, x: int | None = None) -> int:
        x = self.draw.choice(self.made) if x is None else x
        return self.apply(kind, (x,), self.tensors[x].size, *LOOKUPS[kind])


def make_step(draw: random.Random, most: int = 64, rows: int | None = None, window: int = 1) -> Step:
    """A step graph of 3 to 15 ops whose outputs are next state and logits."""
    m, rows = _start(draw, most, rows, window)
    hidden = m.size()
    state = m.add(hidden, m.scale(), m.zero())
    m.made.append(state)
    for _ in range(draw.randint(1, 2)):
        m.embedding(rows, draw.choice((hidden, m.size())), window)
    for _ in range(draw.randint(1, 9)):
        kind = draw.choice(("FULLY_CONNECTED", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "LOGISTIC", "TANH"))
        if kind == "FULLY_CONNECTED":
            m.dense(draw.choice(m.made), draw.choice((hidden, m.size())))
        elif kind in LOOKUPS:
            m.lookup(kind)
        else:
            m.pair(kind)
    last = m.made[-1]
    parts = m.dense(last, hidden), m.dense(draw.choice(m.made), hidden)
    next_state = m.apply("ADD", parts, hidden, m.tensors[state].scale, m.tensors[state].zero_point)
    context = draw.choice((next_state, draw.choice([i for i in m.made if i != state])))
    logits = m.dense(context, rows)
    return understand_step(Graph(tuple(m.tensors), tuple(m.ops), (0, state), (next_state, logits)))


def _start(draw: random.Random, most: int, rows: int | None, window: int = 1) -> tuple[Maker, int]:
    m = Maker(draw, most, [], [], [])
    rows = rows or max(2, m.size())
    m.add((window,), 0.0)
    m.tensors[0] = replace(m.tensors[0], dtype="int32")
    return m, rows


def make_window(draw: random.Random, most: int = 64, rows: int | None = None) -> Step:
    """The same over 2 to 6 ids at once; of three, one has no state but them."""
    window = draw.randint(2, 6)
    if draw.randint(0, 2):
        return make_step(draw, most, rows, window)
    m, rows = _start(draw, most, rows, window)
    x = m.dense(m.embedding(rows, m.size(), window), m.size())
    logits = m.dense(m.lookup(draw.choice(("LOGISTIC", "TANH")), x), rows)
    return understand_step(Graph(tuple(m.tensors), tuple(m.ops), (0,), (logits,)))


def make_lstm(draw: random.Random, most: int = 64, rows: int | None = None) -> Step:
    """An LSTM step: h at 1/128, c at a scale of its own, and any scales between them."""
    m, rows = _start(draw, most, rows)
    hidden = m.size()
    h, c = m.add(hidden, 1 / 128), m.add(hidden, m.scale(), m.zero())
    x = m.embedding(rows, m.size())

    def gate(kind: str) -> int:
        parts = m.dense(x, hidden), m.dense(h, hidden)
        largest = max(m.tensors[i].scale for i in parts)
        return m.lookup(kind, m.apply("ADD", parts, hidden, m.scale(largest), m.zero()))

    def product(a: int, b: int) -> int:
        return m.apply("MUL", (a, b), hidden, m.scale(m.tensors[a].scale * m.tensors[b].scale * 128), m.zero())

    forgotten, written = product(gate("LOGISTIC"), c), product(gate("LOGISTIC"), gate("TANH"))
    next_c = m.apply("ADD", (forgotten, written), hidden, m.tensors[c].scale, m.tensors[c].zero_point)
    next_h = m.apply("MUL", (gate("LOGISTIC"), m.lookup("TANH", next_c)), hidden, 1 / 128, 0)
    logits = m.dense(next_h, rows)
    return understand_step(Graph(tuple(m.tensors), tuple(m.ops), (0, h, c), (next_h, next_c, logits)))


def make_channels(draw: random.Random, most: int = 64, rows: int | None = None) -> Step:
    """A step whose layers' rows have a scale each, some a thousand times finer than others."""
    graph = make_step(draw, most, rows).graph
    tensors = list(graph.tensors)
    for op in (op for op in graph.ops if op.kind == "FULLY_CONNECTED"):
        x, w, bias = (tensors[i] for i in op.inputs)
        finer = [2.0 ** -draw.uniform(0, draw.choice((1, 1, 10))) for _ in range(w.shape[0])]
        scales = tuple(float(np.float32(w.scale * f)) for f in finer)
        if len(scales) == 1:
            continue
        tensors[op.inputs[1]] = replace(w, scale=max(scales), scales=scales)
        if op.inputs[2] >= 0:
            units = tuple(float(np.float32(x.scale * scale)) for scale in scales)
            tensors[op.inputs[2]] = replace(bias, scale=max(units), scales=units)
    return understand_step(replace(graph, tensors=tuple(tensors)))


def make_int4(draw: random.Random, most: int = 64, rows: int | None = None) -> Step:
    """A step whose layers' weights have 4 bits each, and now and then its tables' values."""
    graph = make_step(draw, most, rows).graph
    held = {op.inputs[1] for op in graph.ops if op.kind == "FULLY_CONNECTED"}
    held |= {op.inputs[0] for op in graph.ops if op.kind == "GATHER" and draw.randint(0, 1)}
    tensors = tuple(
        replace(t, dtype="int4", values=(t.values >> 4).astype(np.int8)) if i in held else t
        for i, t in enumerate(graph.tensors)
    )
    return understand_step(replace(graph, tensors=tensors))


def make_ours(kind: str, weight_bits: int, draw: random.Random, most: int = 64, rows: int | None = None) -> Step:
    """Our own word or character network, quantized, with random weights: small ones as in training, or large."""
    shape = NetworkShape(
        kind,
        rows or draw.randint(2, max(2, most)),
        draw.randint(1, most) if kind == "word" else 0,
        draw.randint(1, most),
        weight_bits,
    )
    seed, by = draw.randint(0, 1 << 30), draw.choice((1, 1, 3, 20))
    rng = np.random.default_rng(seed)
    weights = {
        name: (by * a + rng.normal(0, 0.3, a.shape)).astype(np.float32)
        for name, a in initial_weights(shape, seed, np.zeros(shape.rows)).items()
    }
    with np.errstate(over="ignore"):  # a gate that is shut is 1 / (1 + infinity)
        return understand_step(quantize(shape, weights, rng.integers(0, shape.rows, (4, 8))))


make_word, make_character = partial(make_ours, "word", 8), partial(make_ours, "character", 8)
make_word_int4, make_character_int4 = partial(make_ours, "word", 4), partial(make_ours, "character", 4)


def with_all_outputs(graph: Graph) -> Graph:
    """The same graph, giving out what every op makes."""
    return replace(graph, outputs=tuple(op.output for op in graph.ops))


def random_step(seed: int, most: int = 64, rows: int | None = None, make: Callable[..., Step] = make_step) -> Step:
    """The first step of a seed that tinylm accepts."""
    draw = random.Random(seed)
    while True:
        try:
            step = make(draw, most, rows)
            check_graph(step.graph)
            return step
        except TinylmError:
            continue
