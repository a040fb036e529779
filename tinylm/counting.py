"""What a model costs a chip: instructions (AVR: cycles) of a step, a word and a keystroke, counted in an emulator.

Knows how to build firmware/count for a board and which emulator counts it; prints nothing. Counts are the same in every
run. A multiply-accumulate (MAC) is one weight of a FULLY_CONNECTED, the logits' included: a step costs what the step
function and the scores of all rows cost together, whatever else they do (tables, gates, biases, loops).
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinylm.board import Board, EmulatorChoice
from tinylm.building import engine_sizes
from tinylm.emulator import choose_emulator, start
from tinylm.errors import TinylmError
from tinylm.firmware import Firmware, compile_firmware
from tinylm.generate import EngineSizes, ModelView, view_model, write_c
from tinylm.graph import Step
from tinylm.language import build_language
from tinylm.memory import MemoryReport
from tinylm.meter import END, count_blocks
from tinylm.model import Model
from tinylm.resources import firmware_dir

STEPS = 4
HISTORY, LINE_BYTES = 4, 160  # of the engine at most: a line is typed, none is taken back
NAMES = {"s": "step", "r": "rows", "w": "word", "1": "letter 1", "2": "letter 2", "3": "letter 3", "n": "newline",
         "W": "word, learning", "A": "letter 1, learning", "B": "letter 2, learning", "C": "letter 3, learning"}  # fmt: skip
_NOTHING, _KNOWN = "e", "c"  # intervals of no and of KNOWN_INSTRUCTIONS instructions (firmware/count/tlm_count.h)
_KNOWN_INSTRUCTIONS = 1 << 17
_TIMEOUT_S = 600
# One instruction is 4 ns of the guest's time: 2^24 ticks of a core's own timer at 168 MHz are 25 million of them.
_QEMU_COUNTS = ("-icount", "shift=2")

Intervals = dict[str, list[int]]


@dataclass(frozen=True)
class Counter:
    """A way to count: `marks` is the folder of firmware/count with its mark.c."""

    unit: str
    marks: str
    count: Callable[[Board, Path], tuple[Intervals, dict[str, int]]]


@dataclass(frozen=True)
class Counts:
    """One model on one board. `unit` is "instructions" or "cycles"; `intervals` are means by name (NAMES).

    `per_mac` is of a whole step: step function and the scores of all rows. `profile`: unit's share by C function, all
    intervals together (empty where the emulator does not see single instructions). `memory`: of the counting firmware.
    """

    board: str
    emulator: str
    fidelity: str
    toolchain: str
    unit: str
    macs: int
    intervals: dict[str, float]
    scratch_bytes: int
    state_bytes: int
    context_bytes: int
    rows: int
    memory: MemoryReport
    profile: dict[str, int]

    @property
    def whole_step(self) -> float:
        """A step with the scores of all rows."""
        return self.intervals["step"] + self.intervals["rows"]

    @property
    def per_mac(self) -> float:
        """Of a whole step."""
        return self.whole_step / self.macs if self.macs else 0.0


def count_macs(step: Step) -> int:
    """Weights of all FULLY_CONNECTED ops: the multiply-accumulates of a step with all its logits."""
    graph = step.graph
    return sum(graph.tensor(op.inputs[1]).size for op in graph.ops if op.kind == "FULLY_CONNECTED")


def choose_counter(board: Board) -> tuple[EmulatorChoice, Counter]:
    """The board's emulator that counts best, of those that are installed. Raises TinylmError when none does."""
    ways = [(e.name, _counter_of(board, e)) for e in board.emulators]
    ways = sorted(((n, way) for n, way in ways if way), key=lambda way: list(_COUNTERS).index(way[0]))
    if not ways:
        raise TinylmError(f"No emulator of {board.name} counts instructions.", "Name another board: tinylm boards")
    for name, way in ways:
        try:
            return choose_emulator(board, name), way
        except TinylmError as missing:
            refusal = missing
    raise refusal


def _counter_of(board: Board, emulator: EmulatorChoice) -> Counter | None:
    return _COUNTERS.get(emulator.name, {}).get(board.compiler.architecture)


def count_model(
    model: Model,
    board: Board,
    toolchain: str | None = None,
    texts: Sequence[str] = (),
    taught: Sequence[str] = (),
) -> Counts:
    """Build a model for a board, run it in an emulator that counts, and take the means.

    Args:
        texts: what is typed to measure words and keystrokes; without any, the alphabet may be larger than the engine's.
        taught: lines that are learned before the texts are typed once more, with the board's user memory.
    Raises TinylmError when a compiler or emulator is missing, or the model does not fit.
    """
    _, way = choose_counter(board)
    view = view_model(model, build_language(model, board.layout, board.layout_int4), count_sizes(board))
    if not texts:
        view = replace(view, alphabet=(0,))
    with tempfile.TemporaryDirectory(prefix="tinylm-count-") as name:
        folder = Path(name)
        write_c(view, folder / "generated", board.has_far_flash, board.has_model_apart)
        write_count(folder / "generated", texts, taught)
        firmware = compile_firmware(board, folder / "generated", folder, toolchain, sources=list_count_sources(way))
        return count_firmware(view, board, folder, firmware)


def count_sizes(board: Board) -> EngineSizes:
    """Of the engine in a counting firmware."""
    sizes = engine_sizes(board)
    return replace(sizes, history=min(sizes.history, HISTORY), line_bytes=min(sizes.line_bytes, LINE_BYTES))


def list_count_sources(way: Counter) -> list[Path]:
    """What a counting firmware is compiled of, beside the port and generated files."""
    root = firmware_dir()
    sources = [path for part in ("runtime", "predict") for path in sorted((root / part).glob("*.c"))]
    return [*sources, root / "count" / "main.c", root / "count" / way.marks / "mark.c"]


def write_count(generated: Path, texts: Sequence[str], taught: Sequence[str] = ()) -> None:
    """The headers of a counting firmware: what it types and learns, and the marks."""
    typed, learned = (", ".join(f'"{text}"' for text in lines) or "0" for lines in (texts, taught))
    defined = {"COUNT_STEPS": STEPS, "COUNT_TEXTS": typed, "COUNT_TAUGHT": learned}
    (generated / "count.h").write_text("".join(f"#define {name} {value}\n" for name, value in defined.items()), "utf-8")
    for header in (firmware_dir() / "count").glob("*.h"):
        (generated / header.name).write_bytes(header.read_bytes())


def count_firmware(view: ModelView, board: Board, folder: Path, firmware: Firmware) -> Counts:
    """Runs a counting firmware that was built in `folder`."""
    emulator, way = choose_counter(board)
    intervals, profile = way.count(board, folder)
    macs = count_macs(view.language.step) if view.language.step else 0
    return Counts(board.name, emulator.name, emulator.fidelity, firmware.toolchain, way.unit, macs, _means(intervals),
                  view.scratch_bytes, view.state_bytes, view.context_bytes, view.rows, firmware.memory, profile)  # fmt: skip


def _means(intervals: Intervals) -> dict[str, float]:
    """Means by name, less what the marks cost; ticks of a timer as instructions, by what known ones took."""
    nothing = intervals.pop(_NOTHING)[0]
    known = intervals.pop(_KNOWN, None)
    unit = _KNOWN_INSTRUCTIONS / (known[0] - nothing) if known else 1.0
    return {NAMES[what]: (sum(taken) / len(taken) - nothing) * unit for what, taken in intervals.items()}


def _read_line(board: Board, folder: Path, emulator: str, *arguments: str) -> tuple[Intervals, dict[str, int]]:
    """Intervals that come over the serial line as "x(" hexadecimal ")"."""
    import serial

    found: defaultdict[str, list[int]] = defaultdict(list)
    with (
        start(board, folder, emulator, arguments) as running,
        serial.serial_for_url(running.url, timeout=_TIMEOUT_S) as line,
    ):
        line.write(b"?")
        for piece in line.read_until(END).partition(END)[0].split(b")")[:-1]:
            found[chr(piece[0])].append(int(piece[2:], 16))
    if not found:
        raise TinylmError(f"The counting firmware said nothing in {emulator}.", "Please report this as a bug.")
    return found, {}


def _count_simavr(board: Board, folder: Path) -> tuple[Intervals, dict[str, int]]:
    return _read_line(board, folder, "simavr")


def _count_esp8266(board: Board, folder: Path) -> tuple[Intervals, dict[str, int]]:
    return _read_line(board, folder, "esp8266")


def _count_qemu(board: Board, folder: Path) -> tuple[Intervals, dict[str, int]]:
    return _read_line(board, folder, "qemu", *_QEMU_COUNTS)


# Best first: emulator -> architecture -> how it counts.
_BLOCKS = Counter("instructions", "line", count_blocks)
_COUNTERS = {
    "unicorn": {"arm": _BLOCKS, "riscv32": _BLOCKS},
    "simavr": {"avr": Counter("cycles", "simavr", _count_simavr)},
    "esp8266": {"xtensa": Counter("instructions", "ccount", _count_esp8266)},
    "qemu": {
        "arm": Counter("instructions", "systick", _count_qemu),
        "xtensa": Counter("instructions", "ccount", _count_qemu),
    },
}
