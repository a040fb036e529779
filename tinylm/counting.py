"""What a model costs a chip: instructions (AVR: cycles) of a step, a word and a keystroke, counted in an emulator.

Knows how to build firmware/count for a board and to count it; prints nothing. Counts are exact and the same in every
run. A multiply-accumulate (MAC) is one weight of a FULLY_CONNECTED, the logits' included: a step costs what the step
function and the scores of all rows cost together, whatever else they do (tables, gates, biases, loops).
"""

from __future__ import annotations

import struct
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from tinylm.board import Board
from tinylm.building import engine_sizes
from tinylm.emulator import start
from tinylm.errors import TinylmError
from tinylm.firmware import ELF_NAME, compile_firmware
from tinylm.generate import ModelView, view_model, write_c
from tinylm.graph import Step
from tinylm.language import build_language
from tinylm.memory import MemoryReport
from tinylm.model import Model
from tinylm.resources import firmware_dir

STEPS = 4
_END = b"."
_TIMEOUT_S = 600
_NAMES = {"s": "step", "r": "rows", "w": "word", "1": "letter 1", "2": "letter 2", "3": "letter 3"}


@dataclass(frozen=True)
class Counts:
    """One model on one board. `unit` is "instructions" or "cycles"; `intervals` are means by name (see firmware/count).

    `per_mac` is of a whole step: step function and the scores of all rows. `profile`: unit's share by C function, all
    steps and rows together (empty where the emulator does not see single instructions).
    """

    board: str
    toolchain: str
    unit: str
    macs: int
    intervals: dict[str, float]
    scratch_bytes: int
    hidden: int
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
        return self.whole_step / self.macs


def count_macs(step: Step) -> int:
    """Weights of all FULLY_CONNECTED ops: the multiply-accumulates of a step with all its logits."""
    graph = step.graph
    return sum(graph.tensor(op.inputs[1]).size for op in graph.ops if op.kind == "FULLY_CONNECTED")


def count_model(model: Model, board: Board, toolchain: str | None = None, texts: Sequence[str] = ()) -> Counts:
    """Build a model for a board, run it in the board's emulator (Unicorn, or simavr for AVR), count.

    Args:
        texts: what is typed to measure words and keystrokes; without any, the alphabet may be larger than the engine's.
    Raises TinylmError when a compiler or emulator is missing.
    """
    sizes = replace(engine_sizes(board), history=4, line_bytes=160)
    view = view_model(model, build_language(model, board.layout), sizes)
    if not texts:
        view = replace(view, alphabet=(0,))
    with tempfile.TemporaryDirectory(prefix="tinylm-count-") as name:
        folder = Path(name)
        firmware = _build(view, board, folder, toolchain, texts)
        count = _count_cycles if board.compiler.architecture == "avr" else _count_instructions
        intervals, profile = count(board, folder)
    nothing = intervals.pop("e")[0]
    means = {_NAMES[what]: sum(taken) / len(taken) - nothing for what, taken in intervals.items()}
    unit = "cycles" if board.compiler.architecture == "avr" else "instructions"
    macs = count_macs(view.language.step) if view.language.step else 0
    return Counts(board.name, firmware.toolchain, unit, macs, means, view.scratch_bytes, view.state_bytes, view.rows,
                  firmware.memory, profile)  # fmt: skip


def _build(view: ModelView, board: Board, folder: Path, toolchain: str | None, texts: Sequence[str]):
    far = board.compiler.architecture == "avr"
    write_c(view, folder / "generated", far)
    quoted = ", ".join(f'"{text}"' for text in texts) or "0"
    (folder / "generated" / "count.h").write_text(f"#define COUNT_STEPS {STEPS}\n#define COUNT_TEXTS {quoted}\n")
    (folder / "generated" / "tlm_count.h").write_bytes((firmware_dir() / "count" / "tlm_count.h").read_bytes())
    root = firmware_dir()
    sources = [path for part in ("runtime", "predict") for path in sorted((root / part).glob("*.c"))]
    sources += [root / "count" / "main.c", root / "count" / ("avr" if far else "line") / "mark.c"]
    return compile_firmware(board, folder / "generated", folder, toolchain, sources=sources)


def _parse(text: bytes) -> list[bytes]:
    """The pieces "x(" ... ")" of what the firmware said."""
    return text.partition(_END)[0].split(b")")[:-1]


def _count_cycles(board: Board, folder: Path) -> tuple[dict[str, list[int]], dict[str, int]]:
    import serial

    found: defaultdict[str, list[int]] = defaultdict(list)
    with start(board, folder) as running, serial.serial_for_url(running.url, timeout=_TIMEOUT_S) as line:
        line.write(b"?")
        for piece in _parse(line.read_until(_END)):
            found[chr(piece[0])].append(int(piece[2:], 16))
    return found, {}


def _count_instructions(board: Board, folder: Path) -> tuple[dict[str, list[int]], dict[str, int]]:
    try:
        from tinylm.emulators.unicorn_machine import Machine
    except ImportError as error:
        raise TinylmError("Unicorn is not installed.", "Install it: pip install 'tinylm[toolchain]'") from error
    meter = _Meter(board.compiler.architecture)
    machine = Machine(board, (folder / "firmware.bin").read_bytes(), meter)
    meter.watch(machine.uc)
    machine.run_until_sleep(machine.reset())
    if not meter.done:
        raise TinylmError("The counting firmware stopped before its end.", "Please report this as a bug.")
    return meter.intervals, _profile(folder / ELF_NAME, meter.blocks, meter)


class _Meter:
    """Stands in for the serial line of a Unicorn machine and counts instructions by whole blocks."""

    def __init__(self, architecture: str) -> None:
        self.waiting = [ord("?")]
        self.intervals: defaultdict[str, list[int]] = defaultdict(list)
        self.blocks: Counter[tuple[int, int]] = Counter()  # inside intervals
        self._lengths: dict[tuple[int, int], int] = {}
        self._count_code = _CODES[architecture]
        self._total, self._begun, self._what = 0, -1, ""
        self._uc: Any = None

    def watch(self, uc: Any) -> None:
        """Count every block that `uc` runs."""
        import unicorn

        self._uc = uc
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block)

    def length(self, address: int, size: int) -> int:
        """Instructions in a block."""
        found = self._lengths.get((address, size))
        if found is None:
            found = self._lengths[address, size] = self._count_code(bytes(self._uc.mem_read(address, size)))
        return found

    def _on_block(self, uc: object, address: int, size: int, user: object) -> None:
        self._total += self.length(address, size)
        if self._begun >= 0:
            self.blocks[address, size] += 1

    def send(self, byte: int) -> None:
        """A byte from the firmware."""
        letter = chr(byte)
        if letter == "(":
            self._begun = self._total
        elif letter == ")":
            self.intervals[self._what].append(self._total - self._begun)
            self._begun = -1
        else:
            self._what = letter

    @property
    def done(self) -> bool:
        """Whether the firmware said so."""
        return self._what == _END.decode()

    def poll(self) -> bool:
        """No byte ever comes."""
        return False

    def wait(self) -> None:
        """The firmware waits for one: it is done."""
        self._uc.emu_stop()


def _count_thumb(code: bytes) -> int:
    at = found = 0
    while at < len(code):
        at += 4 if struct.unpack_from("<H", code, at)[0] >> 11 in (0b11101, 0b11110, 0b11111) else 2
        found += 1
    return found


def _count_riscv(code: bytes) -> int:
    at = found = 0
    while at < len(code):
        at += 4 if code[at] & 3 == 3 else 2
        found += 1
    return found


_CODES = {"arm": _count_thumb, "riscv32": _count_riscv}


def _profile(elf: Path, blocks: Counter[tuple[int, int]], meter: _Meter) -> dict[str, int]:
    with elf.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        functions = sorted(
            (s["st_value"] & ~1, s["st_size"], s.name) for s in symbols if s["st_info"]["type"] == "STT_FUNC"
        )
    shares: Counter[str] = Counter()
    for (address, size), times in blocks.items():
        name = next((n for start, length, n in reversed(functions) if start <= address < start + max(length, 1)), "?")
        shares[name] += times * meter.length(address, size)
    return dict(shares.most_common())
