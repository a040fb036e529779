"""The network run by TensorFlow Lite Micro: which graph it gets, how much memory, and the C++ around its interpreter.

Knows the graph and the generated files; where TFLM's sources are and how they are compiled is tinylm/tflm_project.py's.

Suggestions must be those of the generated C, which ranks rows by their int32 sums (docs/DESIGN.md, "Score"): TFLM gives int8
logits, which make ties of unequal rows, and it would compute every row for each word. So its graph ends with the context
vector, and the rows are scored by our own kernel, from the very bytes of its embedding where that is tied.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tinylm.board import Board
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite, write_tflite
from tinylm.generate import EngineSizes, ModelView, NetworkView, hash_self_test, write_c
from tinylm.graph import Graph, Step, prune, understand_step
from tinylm.language import HEADER_BYTES, build_interpreted
from tinylm.model import Model
from tinylm.rendering import write_template
from tinylm.resources import firmware_dir
from tinylm.step_code import layers_of
from tinylm.tying import widen_output, widen_tables

MOST_ARENA_BYTES = 1 << 22
_ARENA_STEP = 16
_ROWS = "rows"  # the layout of a .tflite's matrices, and the port folder with its kernel
# Kind -> what registers it, and TFLM's kernel file. The int8 registrations leave the other types' code out.
_OPS = {
    "GATHER": ("AddGather()", "gather"),
    "FULLY_CONNECTED": ("AddFullyConnected({})", "fully_connected"),
    "ADD": ("AddAdd(tflite::Register_ADD_INT8())", "add"),
    "SUB": ("AddSub()", "sub"),
    "MUL": ("AddMul(tflite::Register_MUL_INT8())", "mul"),
    "LOGISTIC": ("AddLogistic()", "logistic"),
    "TANH": ("AddTanh()", "tanh"),
}


@dataclass(frozen=True)
class Carried:
    """A state: its input and output by their place in the graph, and where it lies among the state's bytes."""

    input: int
    output: int
    offset: int
    size: int


@dataclass(frozen=True)
class Interpreted:
    """What templates/tflm/tflm.cpp.j2 names. Inputs and outputs by their place in the graph; `ops` register what it uses."""

    graph: bytes
    whole: bool
    arena_bytes: int
    ops: tuple[str, ...]
    kernels: tuple[str, ...]
    id: int
    states: tuple[Carried, ...]
    context: int
    offset: int = HEADER_BYTES

    @property
    def bytes(self) -> int:
        """Of the graph."""
        return len(self.graph)


def rows_board(board: Board) -> Board:
    """A board that reads matrices as a .tflite has them."""
    if board.layout == _ROWS:
        return board
    ports = [name for name in board.port_also if not (firmware_dir() / "port" / name / "dot.c").exists()]
    return replace(board, layout=_ROWS, port_also=(*ports, _ROWS))


def cut_graph(step: Step) -> Graph:
    """The step without its last op: id and states in, the next states and the context out."""
    return prune(replace(step.graph, outputs=_ends(step)))


def _ends(step: Step) -> tuple[int, ...]:
    return tuple(dict.fromkeys((*(s.after for s in step.states), step.context)))


def interpret(model: Model, whole: bool = False) -> tuple[Step, Interpreted]:
    """What TFLM runs of a model: all but its last op, or the `whole` graph (for measuring it).

    Raises TinylmError for the n-gram kind, and when the tflite-micro wheel is missing.
    """
    if model.info.kind == "ngram":
        raise TinylmError(f"'{model.info.name}' is an n-gram: there is no network for TensorFlow Lite Micro to run.",
                          "Take a network, or leave --runtime out.")  # fmt: skip
    step = widen_output(understand_step(widen_tables(read_tflite(model.tflite))))
    if step.window > 1 or not {op.kind for op in step.graph.ops} <= set(_OPS):
        raise TinylmError(
            f"'{model.info.name}' is a step graph of ops or inputs that this flavour does not write: {', '.join(_OPS)} with one id.",
            "Leave --runtime out.",
        )
    graph, outputs = (step.graph, step.graph.outputs) if whole else (cut_graph(step), _ends(step))
    content = model.tflite if whole else write_tflite(graph)
    kinds = sorted({op.kind for op in graph.ops})
    inputs = step.graph.inputs
    states = tuple(Carried(inputs.index(s.before), outputs.index(s.after), s.offset, s.size) for s in step.states)
    context = outputs.index(step.context) if step.context in outputs else states[0].output
    return step, Interpreted(
        content, whole, find_arena_bytes(content), tuple(_OPS[kind][0].format(_fully_connected(graph)) for kind in kinds),
        tuple(_OPS[kind][1] for kind in kinds), inputs.index(step.ids), states, context,
    )  # fmt: skip


def _fully_connected(graph: Graph) -> str:
    """The registration that leaves out the kernels of weights that a graph has not."""
    types = {graph.tensor(op.inputs[1]).dtype for op in graph.ops if op.kind == "FULLY_CONNECTED"}
    return f"tflite::Register_FULLY_CONNECTED_{types.pop().upper()}()" if len(types) == 1 else ""


def find_arena_bytes(tflite: bytes) -> int:
    """The least arena, in steps of 16 bytes, in which TFLM on this computer can plan and run a graph."""
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise TinylmError("tflite-micro is not installed; it says how much memory TensorFlow Lite Micro needs.",
                          "Install it (Linux on x86-64): pip install --pre tflite-micro") from error  # fmt: skip

    def fits(size: int) -> bool:
        with contextlib.suppress(RuntimeError), _silence():
            runtime.Interpreter.from_bytes(tflite, arena_size=size)
            return True
        return False

    too_small, enough = 0, MOST_ARENA_BYTES
    if not fits(enough):
        raise TinylmError("TensorFlow Lite Micro refuses the graph.", "Please report this as a bug.")
    while enough - too_small > _ARENA_STEP:
        middle = (too_small + enough) // 2 // _ARENA_STEP * _ARENA_STEP
        too_small, enough = (too_small, middle) if fits(middle) else (middle, enough)
    return enough


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """TFLM writes why an arena is too small on the standard error of the process."""
    with tempfile.TemporaryFile() as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def view_interpreted(model: Model, step: Step, tflm: Interpreted, sizes: EngineSizes) -> ModelView:
    """As generate.view_model: the same model, self-test and engine, with TFLM's step."""
    language = build_interpreted(model, step, tflm.graph, tflm.whole)
    op = step.output_op
    layers = layers_of(language, () if tflm.whole else (op,))
    network = NetworkView(step, None, layers, is_scored=not tflm.whole)
    alphabet = tuple(ord(letter) for letter in model.info.alphabet)
    return ModelView(model, language, sizes, network, step.state_bytes, step.graph.tensor(step.context).size, 1, step.rows,
                     step.units_per_nat, hash_self_test(step, language.ngram), alphabet)  # fmt: skip


def write_interpreted(view: ModelView, tflm: Interpreted, folder: Path) -> None:
    """As generate.write_c, and tflm.cpp."""
    write_c(view, folder, far_flash=False)
    write_template("tflm/tflm.cpp.j2", folder / "tflm.cpp", {"view": view, "tflm": tflm})
