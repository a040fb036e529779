"""An embedding that is the output matrix too: in a file twice where its weights have 4 bits, in flash once. Knows constants; no bytes.

TensorFlow Lite Micro's GATHER reads no int4, so the file of a network whose output matrix is int4 has the embedding's table as
int8 beside it, of the same values and scale. Our runtime gathers from either.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinylm.graph import Graph, Op, Step, Tensor, quantized_alike


def tie_tables(step: Step) -> Step:
    """With every GATHER reading a layer's matrix where that is its table: equal in values, shape, scale and zero point."""
    graph = step.graph
    matrices = [op.inputs[1] for op in graph.ops if op.kind == "FULLY_CONNECTED"]

    def tied(op: Op) -> Op:
        same = (i for i in matrices if op.kind == "GATHER" and is_equal(graph.tensor(i), graph.tensor(op.inputs[0])))
        return replace(op, inputs=(next(same, op.inputs[0]), *op.inputs[1:]))

    return replace(step, graph=replace(graph, ops=tuple(tied(op) for op in graph.ops)))


def is_equal(a: Tensor, b: Tensor) -> bool:
    """Whether two constants are the same numbers; one may have 4 bits a number, the other 8."""
    return a.shape == b.shape and quantized_alike(a, b) and np.array_equal(a.values, b.values)


def widen_tables(graph: Graph) -> Graph:
    """With an int8 table for every GATHER that reads int4: what TensorFlow Lite Micro can run."""
    tensors, ops, wide = list(graph.tensors), [], {}
    for op in graph.ops:
        table = tensors[op.inputs[0]]
        if op.kind == "GATHER" and table.dtype == "int4":
            if op.inputs[0] not in wide:
                wide[op.inputs[0]] = len(tensors)
                tensors.append(widened(table))
            op = replace(op, inputs=(wide[op.inputs[0]], *op.inputs[1:]))
        ops.append(op)
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def widened(tensor: Tensor) -> Tensor:
    """An int4 constant as int8."""
    return replace(tensor, name=f"{tensor.name}_rows", dtype="int8", values=tensor.values.copy())


def widen_output(step: Step) -> Step:
    """With the last layer's matrix as int8 where it was int4: as the table that it is tied to, if it is."""
    graph, op = step.graph, step.output_op
    weights = graph.tensor(op.inputs[1])
    if weights.dtype != "int4":
        return step
    tables = (o.inputs[0] for o in graph.ops if o.kind == "GATHER" and graph.tensor(o.inputs[0]).dtype == "int8")
    tied = next((i for i in tables if is_equal(graph.tensor(i), weights)), None)
    tensors = graph.tensors if tied is not None else (*graph.tensors, widened(weights))
    inputs = (op.inputs[0], len(tensors) - 1 if tied is None else tied, op.inputs[2])
    ops = tuple(replace(o, inputs=inputs) if o == op else o for o in graph.ops)
    return replace(step, graph=replace(graph, tensors=tensors, ops=ops))
