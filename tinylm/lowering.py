"""From the ops of a file to those of a typed graph: what other people's converters write around the ops of a step.

Knows what ops that only move values mean, and that ids are never negative; checks no scales (tinylm/op_checks.py does).
- RESHAPE, EXPAND_DIMS, SQUEEZE are gone: all values are vectors. SPLIT, SPLIT_V, STRIDED_SLICE and SLICE take a run of one.
- Keras wraps negative ids (LESS, ADD, SELECT around every Embedding; TensorFlow Lite Micro has no SELECT). Ids are 0 or more,
  so the condition is false.
- What no output needs is left out, whatever it is. Any other op stays as it is, for `check_graph` to refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinylm.graph import MOST_ROWS, Graph, Op, Tensor, prune, refuse


@dataclass(frozen=True)
class FileOp:
    """An operator as it is in the file: `options` by their names in TensorFlow Lite's schema."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, int]
    number: int

    @property
    def where(self) -> str:
        """What a person finds it by."""
        return f"op {self.number} ({self.kind})"


_NO_ACTIVATION, _RELU = 0, 1  # ActivationFunctionType


def lower(tensors: Sequence[Tensor], ops: Sequence[FileOp], inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
    """The graph of a file's only subgraph, unchecked. Raises TinylmError for options that no runtime of ours has."""
    lowered = _Lowered(tuple(tensors), frozenset(inputs), {}, set(), [])
    for op in ops:
        lowered.add(op)
    ends = tuple(dict.fromkeys(lowered.source(i) for i in outputs))
    return _flat(prune(Graph(tuple(tensors), tuple(lowered.ops), tuple(inputs), ends)))


@dataclass(frozen=True)
class _Lowered:
    tensors: tuple[Tensor, ...]
    inputs: frozenset[int]
    same: dict[int, int]  # tensor -> the tensor whose values it has
    false: set[int]  # conditions that never hold
    ops: list[Op]

    def source(self, tensor: int) -> int:
        return self.same.get(tensor, tensor)

    def add(self, op: FileOp) -> None:
        op = replace(op, inputs=tuple(self.source(i) for i in op.inputs))
        if op.kind in _TAKES:
            self._add_moved(op)
        elif op.kind == "LESS" and self._is_below_zero(op):
            self.false.update(op.outputs)
        elif op.kind in ("SELECT", "SELECT_V2") and op.inputs[0] in self.false:
            self.same[op.outputs[0]] = op.inputs[2]
        else:
            relu = _check_options(self.tensors, op)
            self.ops.extend(Op(op.kind, op.inputs, output, relu, number=op.number) for output in op.outputs)

    def _is_below_zero(self, op: FileOp) -> bool:
        """Whether it asks if an id is less than zero, or than something below."""
        bound = self.tensors[op.inputs[1]].values
        return op.inputs[0] in self.inputs and bound is not None and bound.max(initial=0) <= 0

    def _add_moved(self, op: FileOp) -> None:
        x = op.inputs[1 if op.kind == "SPLIT" else 0]
        if self.tensors[x].size > MOST_ROWS:
            refuse(f"{op.where} takes from {self.tensors[x].size:,} values; at most {MOST_ROWS:,} are allowed")
        index = np.arange(self.tensors[x].size).reshape(self.tensors[x].shape)
        constants = [self.tensors[i].values for i in op.inputs if i != x]
        if op.kind not in _ALL and any(c is None for c in constants):
            refuse(f"{op.where}: where it takes from is computed; constants are needed")
        taken = [
            np.ravel(part) for part in _TAKES[op.kind](index, op, [np.ravel(c) for c in constants if c is not None])
        ]
        for part, output in zip(taken, op.outputs, strict=True):
            if not len(part) or part[-1] - part[0] != len(part) - 1 or np.any(np.diff(part) != 1):
                refuse(
                    f"{op.where} takes values that do not lie side by side",
                    "Keep the batch size 1 and take from the last axis.",
                )
            if self.tensors[output].size != len(part):
                refuse(f"{op.where} takes {len(part)} values for the shape {self.tensors[output].shape}")
            if len(part) == index.size:
                self.same[output] = x
            else:
                self.ops.append(Op("SLICE", (x,), output, begin=int(part[0]), number=op.number))


def _take_all(index: np.ndarray, op: FileOp, constants: list[np.ndarray]) -> list[np.ndarray]:
    return [index]


def _take_slice(index: np.ndarray, op: FileOp, constants: list[np.ndarray]) -> list[np.ndarray]:
    begin, size = constants
    return [index[tuple(slice(b, b + n if n >= 0 else None) for b, n in zip(begin, size, strict=True))]]


def _take_strided(index: np.ndarray, op: FileOp, constants: list[np.ndarray]) -> list[np.ndarray]:
    if op.options.get("EllipsisMask") or op.options.get("NewAxisMask"):
        refuse(f"{op.where} has an ellipsis or a new axis", "Take a run of values: x[:, a:b].")
    begins, ends, shrink = (op.options.get(name, 0) for name in ("BeginMask", "EndMask", "ShrinkAxisMask"))
    parts = []
    for axis, (begin, end, stride) in enumerate(zip(*constants, strict=True)):
        if shrink >> axis & 1:
            end, ends = begin + 1, ends | (begin == -1) << axis
        first = None if begins >> axis & 1 else begin
        parts.append(slice(first, None if ends >> axis & 1 else end, stride))
    return [index[tuple(parts)]]


def _take_split(index: np.ndarray, op: FileOp, constants: list[np.ndarray]) -> list[np.ndarray]:
    return np.split(index, len(op.outputs), axis=int(constants[0][0]))


def _take_split_at(index: np.ndarray, op: FileOp, constants: list[np.ndarray]) -> list[np.ndarray]:
    sizes, axis = constants[0], int(constants[1][0])
    rest = index.shape[axis] - sizes[sizes >= 0].sum()  # one size may be -1: what is left
    return np.split(index, np.cumsum(np.where(sizes < 0, rest, sizes))[:-1], axis=axis)


# How each op that only moves values takes them: arrays of positions, one an output.
_ALL = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
_TAKES = {kind: _take_all for kind in _ALL} | {
    "SLICE": _take_slice,
    "STRIDED_SLICE": _take_strided,
    "SPLIT": _take_split,
    "SPLIT_V": _take_split_at,
}


def _check_options(tensors: tuple[Tensor, ...], op: FileOp) -> bool:
    """Whether the op ends in a RELU. Refuses other activations and options that change what the op means."""
    options = op.options
    if options.get("Axis") or options.get("BatchDims"):
        if op.kind == "GATHER":
            refuse(f"{op.where} gathers along axis {options['Axis']}, not 0")
        if op.kind == "CONCATENATION" and any(
            size != 1 for i in op.inputs for size in tensors[i].shape[: options["Axis"]]
        ):
            refuse(f"{op.where} joins along axis {options['Axis']} of {tensors[op.inputs[0]].shape}",
                   "Keep the batch size 1 and join along the last axis.")  # fmt: skip
    if options.get("WeightsFormat"):
        refuse(f"{op.where} has shuffled weights")
    activation = options.get("FusedActivationFunction", _NO_ACTIVATION)
    if activation not in (_NO_ACTIVATION, _RELU) or (activation and op.kind == "CONCATENATION"):
        refuse(f"{op.where} has the fused activation {activation}; NONE or RELU is allowed")
    return activation == _RELU


def _flat(graph: Graph) -> Graph:
    """Every value as a vector: int8 [1, n], ids int32 [n]. Matrices stay."""
    return replace(graph, tensors=tuple(_flat_tensor(t) for t in graph.tensors))


def _flat_tensor(tensor: Tensor) -> Tensor:
    if tensor.values is not None and len(tensor.shape) == 2:
        return tensor
    shape = (tensor.size,) if tensor.dtype == "int32" else (1, tensor.size)
    values = None if tensor.values is None else tensor.values.reshape(shape)
    return replace(tensor, shape=shape, values=values)
