"""The oracle: TensorFlow Lite Micro, from the tflite-micro wheel. What it answers is right, bit for bit."""

from __future__ import annotations

import numpy as np

from tinylm.flatbuffer import write_tflite
from tinylm.graph import Graph, Step
from tinylm.reference import StepResult
from tinylm.tying import widen_tables

ARENA_BYTES = 1 << 20


class Oracle:
    """A .tflite in TensorFlow Lite Micro's interpreter, with its reference kernels; int4 tables of GATHER, which it has not, as int8."""

    def __init__(self, graph: Graph, content: bytes | None = None) -> None:
        from tflite_micro.python.tflite_micro import runtime

        self.graph = graph
        self._interpreter = runtime.Interpreter.from_bytes(
            content or write_tflite(widen_tables(graph)), arena_size=ARENA_BYTES
        )

    def run(self, inputs: dict[int, np.ndarray]) -> list[np.ndarray]:
        """The graph's outputs, flat, in their order."""
        for position, index in enumerate(self.graph.inputs):
            tensor = self.graph.tensor(index)
            self._interpreter.set_input(inputs[index].reshape(tensor.shape).astype(tensor.dtype), position)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_output(i)).ravel() for i in range(len(self.graph.outputs))]

    def run_step(self, step: Step, row: int, state: np.ndarray) -> StepResult:
        """With tinylm.reference.run_step's signature; it gives no scores, and a context if that is an output."""
        inputs = step.feed(row, state)
        found = dict(zip(self.graph.outputs, self.run(inputs)))
        nothing = np.zeros(0, np.int64)
        logits = found[step.logits]
        return StepResult(step.carry(inputs[step.ids], found), found.get(step.context, nothing), logits, nothing)
