"""A model on a board, measured: what a step, a word and a keystroke cost, and where flash and RAM go.

Knows what is measured of which model; builds and counts by tinylm/building.py and tinylm/counting.py, and prints nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinylm.board import Board
from tinylm.building import build, shipped_fits
from tinylm.catalogue import choose_model
from tinylm.counting import (
    Counts,
    choose_counter,
    count_firmware,
    count_model,
    count_sizes,
    list_count_sources,
    write_count,
)
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.graph import understand_step
from tinylm.memory import LIBRARY, MemoryReport
from tinylm.model import FIRST_WORD_ROW, MAX_LETTERS, NAME, Model, ModelInfo
from tinylm.progress import Report
from tinylm.tflm import interpret, view_interpreted
from tinylm.tflm_project import interpreted_board, make_project, write_project

PARTS = ("model", "runtime", "engine", "link", "rest")
_PART_OF = {"language": "model", "model": "model", "runtime": "runtime", "predict": "engine", "link": "link"}
_BARE_PARTS = ("model", "runtime")  # that a graph without words has
GENERATED = "generated"  # the runtime that is not "tflm, KERNELS"
# Typed where the alphabet has its letters; other alphabets get words of the model's own.
TEXTS = ("we need the ladder on the north side ", "can you call me when the doctor is back ")
_LINES, _WORDS = 2, 8
_LETTERS = ("letter 1", "letter 2", "letter 3")


@dataclass(frozen=True)
class Split:
    """Bytes by part (PARTS) and in all; of RAM the stack is in neither."""

    parts: dict[str, int]
    all: int


@dataclass(frozen=True)
class Measurement:
    """One model on one board under one runtime. `cost`, in `unit`s, by name:

    network: the step function; rows: the scores of all rows; step: both, which is the full graph; word: the space after a
    word, its step and the next suggestions; letter 1 to 3: that letter of a word and its suggestions; keystroke: their mean.
    `network_ram_bytes`: what of the RAM is the network's: its runtime's, the state, the context, the scratch.
    `profile`: how much of all that was counted each C function took, where the emulator tells.
    """

    model: str
    kind: str
    board: str
    runtime: str
    emulator: str
    fidelity: str
    toolchain: str
    unit: str
    macs: int
    rows: int
    per_mac: float
    cost: dict[str, int]
    flash_bytes: Split
    ram_bytes: Split
    stack_bytes: int
    state_bytes: int
    scratch_bytes: int
    network_ram_bytes: int
    profile: dict[str, int]


def choose_subject(name: str | None, board: Board) -> Model:
    """What to measure: a model's name or folder, a step graph (FILE.tflite), or None for the model that fits a board."""
    if name and name.endswith(".tflite") and Path(name).is_file():
        return wrap_graph(Path(name).stem, Path(name).read_bytes())
    return choose_model(name, lambda entry: shipped_fits(entry, board))


def wrap_graph(name: str, tflite: bytes) -> Model:
    """A step graph alone, as a character model of an alphabet that is only counted."""
    if not NAME.fullmatch(name):
        raise TinylmError(f"'{name}.tflite' cannot name a model.", "Rename it: letters, digits, hyphens.")
    rows = understand_step(read_tflite(tflite)).rows
    alphabet = "".join(chr(0x100 + i) for i in range(max(rows - FIRST_WORD_ROW, 1)))
    return Model(ModelInfo(name, "character", "xx", "CC0-1.0", alphabet), (), (), tflite)


def is_bare(model: Model) -> bool:
    """Whether a model is a step graph that no engine takes: its symbols are no letters."""
    alphabet = model.info.alphabet
    return model.info.kind == "character" and (len(alphabet) > MAX_LETTERS or alphabet[0] == chr(0x100))


def choose_texts(model: Model) -> tuple[str, ...]:
    """What is typed to measure a model, its words ended by spaces; nothing for a bare graph."""
    if is_bare(model):
        return ()
    if set("".join(TEXTS)) <= {*model.info.alphabet, " "}:
        return TEXTS
    words = [w for w in model.row_words or model.words if len(w) > 2]
    step = max(1, len(words) // (_LINES * _WORDS))
    chosen = words[::step][: _LINES * _WORDS]
    return tuple(" ".join(chosen[i::_LINES]) + " " for i in range(_LINES) if chosen[i::_LINES])


def measure(model: Model, board: Board, toolchain: str | None = None) -> Measurement:
    """Builds the firmware, for its bytes, and a counting one.

    Raises TinylmError when the model does not fit, nothing counts the board's instructions, or a tool is missing.
    """
    choose_counter(board)
    if is_bare(model):
        counts = count_model(model, board, toolchain)
        flash, ram = split_memory(counts.memory, _BARE_PARTS)
    else:
        with tempfile.TemporaryDirectory(prefix="tinylm-bench-") as folder:
            flash, ram = split_memory(build(model, board, Path(folder) / "build", toolchain, _silent).measured)
        counts = count_model(model, board, toolchain, choose_texts(model))
    return _record(model, GENERATED, counts, costs_of(counts), flash, ram)


def measure_interpreted(model: Model, board: Board, root: Path, kernels: str, report: Report) -> Measurement:
    """The whole step graph in TensorFlow Lite Micro's interpreter, from a tree of its sources, counted alike.

    What its C++ needs of the compiler's libraries is counted with the runtime. Nothing is typed.
    """
    way, board = choose_counter(board)[1], interpreted_board(board)
    step, tflm = interpret(model, whole=True)
    view = replace(view_interpreted(model, step, tflm, count_sizes(board)), alphabet=(0,))
    with tempfile.TemporaryDirectory(prefix="tinylm-bench-") as name:
        folder = Path(name)
        (folder / "generated").mkdir()
        write_count(folder / "generated", ())
        write_project(view, tflm, board, folder, list_count_sources(way))
        firmware = make_project(board, folder, root, kernels, lambda *done: report(f"tflm {kernels}", *done))
        counts = count_firmware(view, board, folder, firmware)
    flash, ram = split_memory(counts.memory, _BARE_PARTS, _PART_OF | {LIBRARY: "runtime"})
    return _record(model, f"tflm, {kernels}", counts, {"step": round(counts.intervals["step"])}, flash, ram)


def _record(model: Model, runtime: str, counts: Counts, cost: dict[str, int], flash: Split, ram: Split) -> Measurement:
    network_ram = ram.parts["runtime"] + counts.state_bytes + counts.context_bytes + counts.scratch_bytes
    per_mac = round(cost["step"] / counts.macs, 3) if counts.macs else 0.0
    return Measurement(model.info.name, model.info.kind, counts.board, runtime, counts.emulator, counts.fidelity,
                       counts.toolchain, counts.unit, counts.macs, counts.rows, per_mac, cost, flash, ram,
                       counts.memory.stack_bytes, counts.state_bytes, counts.scratch_bytes, network_ram,
                       counts.profile)  # fmt: skip


def _silent(*_: object) -> None:
    """A build's report, unheard."""


def costs_of(counts: Counts) -> dict[str, int]:
    """`cost` of a Measurement."""
    taken = counts.intervals
    cost = {"network": taken["step"], "rows": taken["rows"], "step": counts.whole_step}
    letters = [taken[name] for name in _LETTERS if name in taken]
    cost |= {name: taken[name] for name in ("word", *_LETTERS) if name in taken}
    cost |= {"keystroke": sum(letters) / len(letters)} if letters else {}
    return {name: round(value) for name, value in cost.items()}


def split_memory(
    memory: MemoryReport, kept: Sequence[str] = PARTS, part_of: Mapping[str, str] = _PART_OF
) -> tuple[Split, Split]:
    """Flash and RAM by part; without the parts that are not `kept`."""
    flash, ram = dict.fromkeys(kept, 0), dict.fromkeys(kept, 0)
    for group in memory.groups:
        part = part_of.get(group.name, "rest")
        if part in flash:
            flash[part] += group.flash_bytes
            ram[part] += group.ram_bytes
    return Split(flash, sum(flash.values())), Split(ram, sum(ram.values()))
