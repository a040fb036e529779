"""The float network in Keras 3 (TensorFlow or JAX backend). Knows its layers; knows nothing of texts or int8.

Both kinds are a GRU cell that is stepped explicitly, as in ../docs/DESIGN.md:
    z = sigmoid(x Wz + bz + h Uz)      r = sigmoid(x Wr + br + h Ur)
    c = tanh(x Wc + bc + r * (h Uc + bu))      h' = c + z * (h - c)
(Cho et al. 2014, arXiv 1406.1078, in the "reset after" form that needs one product with h.)
The word kind ties input and output: x = E[id], logits = (h' P + p) E^T + b. The character kind has a table a gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

GATES = "zrc"


@dataclass(frozen=True)
class NetworkShape:
    """rows = V, embedding = d (0 for the character kind), hidden = H; `weight_bits` (8 or 4) of each weight on the device."""

    kind: str
    rows: int
    embedding: int
    hidden: int
    weight_bits: int = 8

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every trained array, in a fixed order."""
        v, d, h = self.rows, self.embedding, self.hidden
        shapes: dict[str, tuple[int, ...]] = {}
        if self.kind == "word":
            shapes |= {"embedding": (v, d), "input": (d, 3 * h), "project": (h, d), "project_bias": (d,)}
        else:
            shapes |= {"input": (v, 3 * h), "output": (v, h)}
        return shapes | {
            "input_bias": (3 * h,),
            "recurrent": (h, 3 * h),
            "candidate_bias": (h,),
            "output_bias": (v,),
        }


def initial_weights(shape: NetworkShape, seed: int, log_frequency: np.ndarray) -> dict[str, np.ndarray]:
    """Float32 start: scaled normal matrices, the output bias at the words' log frequency [V]."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, dims in shape.weight_shapes.items():
        if name == "output_bias":
            weights[name] = log_frequency.astype(np.float32)
        elif name.endswith("bias"):
            weights[name] = np.zeros(dims, np.float32)
        else:
            fan = dims[1] if name in ("embedding", "output") else dims[0]
            scale = 0.1 if name == "input" and shape.kind == "character" else 0.7 / np.sqrt(fan)
            weights[name] = (rng.standard_normal(dims) * scale).astype(np.float32)
    return weights


def build_trainer(
    shape: NetworkShape,
    steps: int,
    weights: dict[str, np.ndarray],
    negatives: int,
    rounding: dict[str, tuple[np.ndarray, int]] | None = None,
    state: np.ndarray | None = None,
) -> Any:
    """A Keras model from (ids [B,T], targets [B,T], sampled rows [K], their correction [K]) to the loss of each token.

    With two more inputs, rows [B,T,k] and their shares [B,T,k], these rows are wanted too, and the target for the rest of 1. With one
    more, logs [B,T,1], the loss is -log of the target's chance and exp of that: what an n-gram beside the network adds.

    T = `steps`, unrolled: a loop op costs more than it saves at T = 32. With `negatives` = 0 the softmax is over all
    rows; else over the sampled ones and the target (Jean et al. 2015, arXiv 1412.2007: logits less log of the chance
    of being drawn). `rounding`: which arrays are used as multiples of a scale, and the largest multiple. `state` [B,H]: what the first
    call's rows begin with; each call goes on where the one before ended. Without it every call begins with zeros.
    """
    import keras

    class Trainer(keras.Model):
        jit_compile = False  # compile() sets it; Keras's own property refuses XLA beside op determinism, as some ops lack it: not ours

        def __init__(self) -> None:
            super().__init__()
            self.arrays = {
                name: self.add_weight(
                    name=name, shape=value.shape, initializer=lambda *_, value=value, **__: keras.ops.array(value)
                )
                for name, value in weights.items()
            }
            self.state = None
            if state is not None:
                self.state = self.add_weight(
                    name="state",
                    shape=state.shape,
                    initializer=lambda *_, **__: keras.ops.array(state),
                    trainable=False,
                )

        def call(self, inputs: tuple[Any, ...]) -> Any:
            ids, targets, sampled, correction, *taught = inputs
            used = {name: _rounded(value, (rounding or {}).get(name)) for name, value in self.arrays.items()}
            states = _unroll(used, shape, ids, steps, self.state)
            if self.state is not None:
                self.state.assign(keras.ops.stop_gradient(states[:, -1]))
            return _token_loss(used, shape, states, targets, sampled[0], correction[0], negatives, taught)

    return Trainer()


def build_reader(shape: NetworkShape, weights: dict[str, np.ndarray], source: np.ndarray, factor: np.ndarray) -> Any:
    """A Keras model from (ids [B], states [B,H]) to chances [B,S] of the next row, and the next states.

    Chance s is that of row `source`[s] times `factor`[s].
    """
    import keras
    from keras import ops

    class Reader(keras.Model):
        jit_compile = False  # as the trainer's

        def call(self, inputs: tuple[Any, ...]) -> Any:
            ids, h = inputs
            w = {name: ops.convert_to_tensor(value) for name, value in weights.items()}
            h = _unroll(w, shape, ids[:, None], 1, h)[:, 0]
            context = ops.matmul(h, w["project"]) + w["project_bias"]
            chances = ops.softmax(ops.matmul(context, ops.transpose(w["embedding"])) + w["output_bias"])
            return ops.take(chances, source, axis=1) * factor, h

    reader = Reader()
    reader.compile(jit_compile=True)
    return reader


def _rounded(value: Any, grid: tuple[np.ndarray, int] | None) -> Any:
    """The nearest points of the grid; for the gradient, the value itself."""
    from keras import ops

    if grid is None:
        return value
    scale, most = grid
    return value + ops.stop_gradient(ops.clip(ops.round(value / scale), -most, most) * scale - value)


def _unroll(w: dict[str, Any], shape: NetworkShape, ids: Any, steps: int, h: Any = None) -> Any:
    """States after each step, [B,T,H], from `h` [B,H] or zeros. The state is cleared before every line boundary (id 0)."""
    from keras import ops

    if shape.kind == "word":
        x = ops.matmul(ops.take(w["embedding"], ids, axis=0), w["input"])
    else:
        x = ops.take(w["input"], ids, axis=0)
    x = x + w["input_bias"]
    inside = ops.cast(ids != 0, "float32")[:, :, None]
    h, hidden, states = ops.zeros((ops.shape(ids)[0], shape.hidden)) if h is None else h, shape.hidden, []
    for t in range(steps):
        h = h * inside[:, t]
        u, a = ops.matmul(h, w["recurrent"]), x[:, t]
        zr = ops.sigmoid(a[:, : 2 * hidden] + u[:, : 2 * hidden])
        z, r = zr[:, :hidden], zr[:, hidden:]
        c = ops.tanh(a[:, 2 * hidden :] + r * (u[:, 2 * hidden :] + w["candidate_bias"]))
        h = c + z * (h - c)
        states.append(h)
    return ops.stack(states, axis=1)


def _token_loss(
    w: dict[str, Any],
    shape: NetworkShape,
    states: Any,
    targets: Any,
    sampled: Any,
    correction: Any,
    negatives: int,
    taught: Sequence[Any],
) -> Any:
    """In nats, [B,T,1]: the cross entropy; beside an n-gram -log (chance + what it adds), which may be below 0."""
    from keras import ops

    flat = ops.reshape(states, (-1, shape.hidden))
    wanted = ops.reshape(targets, (-1,))
    context = ops.matmul(flat, w["project"]) + w["project_bias"] if shape.kind == "word" else flat
    table = w["embedding"] if shape.kind == "word" else w["output"]
    true = ops.sum(context * ops.take(table, wanted, axis=0), axis=-1) + ops.take(w["output_bias"], wanted)
    if negatives:
        rows, bias = ops.take(table, sampled, axis=0), ops.take(w["output_bias"], sampled) - correction
        logits = ops.matmul(context, ops.transpose(rows)) + bias
        logits = ops.where(sampled[None, :] == wanted[:, None], -1e9, logits)
        total = ops.logaddexp(ops.logsumexp(logits, axis=-1), true)
    else:
        total = ops.logsumexp(ops.matmul(context, ops.transpose(table)) + w["output_bias"], axis=-1)
    if len(taught) == 2:
        rows, shares = (ops.reshape(part, (-1, part.shape[-1])) for part in taught)
        meant = ops.sum(ops.take(table, rows, axis=0) * shares[:, :, None], axis=1)
        others = ops.sum(context * meant, axis=-1) + ops.sum(ops.take(w["output_bias"], rows) * shares, axis=-1)
        true = (1 - ops.sum(shares, axis=-1)) * true + others
    loss = ops.reshape(total - true, (-1, states.shape[1], 1))
    return -ops.logaddexp(-loss, taught[0]) if len(taught) == 1 else loss
