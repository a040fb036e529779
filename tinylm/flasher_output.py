"""What flashing programs say: how far they are, and why they failed. Knows their words; starts none of them."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from tinylm.errors import TinylmError
from tinylm.progress import Report

_STAGE = re.compile(r"\b(erasing|writing|reading|verifying|programming|connecting)\b", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+)(?:\.\d+)?\s?%")
_HASHES = re.compile(r"\|\s*(#+)")  # avrdude without a terminal: 50 of them
_EQUALS = re.compile(r"^\[(=+)")  # pyOCD without a terminal: 40 of them
_LAST_LINES = 8


class OutputReader:
    """Takes a program's output as it comes, reports its percentages and keeps its text."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._stage = "write"
        self._lines = [""]
        self._returned = False  # the next text draws the line again
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def text(self) -> str:
        """All that was said; of a line drawn several times (a bar) the last."""
        return "\n".join(self._lines).strip()

    @property
    def last_lines(self) -> str:
        """The end of it, for an error."""
        return "\n".join([line for line in self._lines if line.strip()][-_LAST_LINES:])

    def push(self, received: bytes) -> None:
        """Takes some bytes, which may end anywhere."""
        for piece in re.split("([\r\n])", self._decoder.decode(received)):
            if piece == "\n":
                self._lines.append("")
                self._returned = False
            elif piece == "\r":
                self._returned = True
            elif piece:
                self._lines[-1] = piece if self._returned else self._lines[-1] + piece
                self._returned = False
                self._look(self._lines[-1])

    def _look(self, line: str) -> None:
        stage = _STAGE.search(line)
        if stage:
            self._stage = stage[1].lower()
        percent = _PERCENT.findall(line)
        if percent:
            self._report(self._stage, min(int(percent[-1]), 100), 100, "")
        elif bar := _HASHES.search(line):
            self._report(self._stage, min(2 * len(bar[1]), 100), 100, "")
        elif bar := _EQUALS.search(line):
            self._report(self._stage, min(len(bar[1]) * 5 // 2, 100), 100, "")


@dataclass(frozen=True)
class _Fault:
    """A failure that a program words as `said`; {port}, {board} and the pattern's names are put into the sentences."""

    said: str
    happened: str
    hint: str


_SLOWER = _Fault(
    r"MD5 of file does not match|verification (error|mismatch)|content mismatch|[Vv]erif\w* failed|Digest mismatch",
    "What {board} holds after writing is not the image.",
    "Try again, with another cable or slower: --baud 57600",
)
_VANISHED = _Fault(
    r"device (disconnected|not configured)|readiness to read but returned no data|Input/output error|"
    r"serial exception error occurred|stopped responding|No more data to read|ClearCommError|Broken pipe",
    "{board} went away while it was written: what it holds now may not start.",
    "Plug it in firmly (no hub), then write it again: tinylm flash --board {board}",
)
_FAULTS = {
    "esptool": (
        _Fault(
            r"This chip is (?P<chip>[\w-]+), not (?P<wanted>[\w-]+)",
            "The chip on '{port}' is {chip}; {board} has {wanted}. Nothing was written.",
            "Name the right port (--port) or board (tinylm boards).",
        ),
        _Fault(
            r"Failed to connect|Wrong boot mode|No serial data received",
            "No ESP chip on '{port}' listens for a new image. Nothing was written.",
            "{notes}",
        ),
        _SLOWER,
        _VANISHED,
    ),
    "avrdude": (
        _Fault(
            r"(?s)signature = (0x)?(?P<chip>[0-9a-fA-F ]+\b( \(probably \w+\))?).*expected signature for (?P<wanted>\w+)",
            "The chip on '{port}' has signature {chip}; {board} has {wanted}. Nothing was written.",
            "Name the right port (--port) or board (tinylm boards).",
        ),
        _SLOWER,
        _Fault(
            r"not in sync|not responding|getsync|[Tt]imeout|unable to (open|start)",
            "No boot loader answers on '{port}' as {board}'s does.",
            "{notes}",
        ),
        _VANISHED,
    ),
    "bossac": (
        _Fault(r"No device found|unsupported", "No boot loader that bossac knows answers on '{port}'.", "{notes}"),
        _SLOWER,
        _VANISHED,
    ),
    "dfu-util": (
        _Fault(r"No DFU capable USB device", "No boot loader of {board} is attached. Nothing was written.", "{notes}"),
        _Fault(
            r"Cannot open DFU device|LIBUSB_ERROR_ACCESS",
            "You may not use the boot loader's USB device (permission denied).",
            "Type: sudo usermod -aG plugdev $USER, then log out and in again.",
        ),
        _VANISHED,
    ),
    "pyocd": (
        _Fault(
            r"No (available debug probes|target device|connected debug probes)",
            "No debug probe is attached. Nothing was written.",
            "Plug in the board's debugger (its USB port for it), then: pyocd list",
        ),
        _Fault(
            r"[Tt]arget type '?(?P<chip>\w+)'? (is )?not recogni[sz]ed",
            "pyOCD does not know the chip {chip} yet.",
            "Install its description: pyocd pack install {chip}",
        ),
        _Fault(
            r"Access denied|[Ii]nsufficient permissions|Errno 13",
            "You may not use the debug probe (permission denied).",
            "Install pyOCD's udev rules: https://github.com/pyocd/pyOCD/tree/main/udev",
        ),
        _SLOWER,
        _VANISHED,
    ),
}


def explain_failure(tool: str, output: OutputReader, status: int, board: str, port: str, notes: str) -> TinylmError:
    """The error for a program that failed: in plain words where they are known, with its own last lines where not."""
    for fault in _FAULTS[tool]:
        found = re.search(fault.said, output.text)
        if found:
            values = {"board": board, "port": port, "notes": notes, **found.groupdict()}
            return TinylmError(fault.happened.format(**values), fault.hint.format(**values))
    said = output.last_lines or "nothing"
    where = f" on '{port}'" if port else ""
    return TinylmError(f"{tool} failed{where} (exit code {status}). It said:\n{said}", notes)
