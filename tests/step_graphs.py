"""Random step graphs of every op, for tests: one id and one state in, state and logits out, in any sizes and scales."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np

from tinylm.errors import TinylmError
from tinylm.graph import Graph, Op, Step, Tensor, understand_step
from tinylm.op_checks import check_graph

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

    def lookup(self, kind: str) -> int:
        x = self.draw.choice(self.made)
        return self.apply(kind, (x,), self.tensors[x].size, *LOOKUPS[kind])


def make_step(draw: random.Random, most: int = 64, rows: int | None = None) -> Step:
    """A step graph of 3 to 15 ops whose outputs are next state and logits."""
    m = Maker(draw, most, [], [], [])
    rows = rows or max(2, m.size())
    m.add((1,), 0.0)
    m.tensors[0] = replace(m.tensors[0], dtype="int32")
    hidden = m.size()
    state = m.add(hidden, m.scale(), m.zero())
    m.made.append(state)
    for _ in range(draw.randint(1, 2)):
        width = draw.choice((hidden, m.size()))
        table = m.add((rows, width), m.scale(), m.zero(), m.values((rows, width)).astype(np.int8))
        m.apply("GATHER", (table, 0), width, m.tensors[table].scale, m.tensors[table].zero_point)
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


def with_all_outputs(graph: Graph) -> Graph:
    """The same graph, giving out what every op makes."""
    return replace(graph, outputs=tuple(op.output for op in graph.ops))


def random_step(seed: int, most: int = 64, rows: int | None = None) -> Step:
    """The first step of a seed that tinylm accepts."""
    draw = random.Random(seed)
    while True:
        try:
            step = make_step(draw, most, rows)
            check_graph(step.graph)
            return step
        except TinylmError:
            continue
