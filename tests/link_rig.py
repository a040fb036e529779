"""What the link's tests share: the C side compiled for this computer around a stand-in engine, and ways to reach it."""

from __future__ import annotations

import ctypes
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAND_IN = ROOT / "tests" / "c" / "link"
LINK_SOURCES = sorted((ROOT / "firmware" / "link").glob("*.c"))
MAIN_SOURCE = ROOT / "firmware" / "app" / "main.c"
STORE_SOURCE = ROOT / "firmware" / "store" / "inside" / "store.c"
INCLUDES = [
    f"-I{path}"
    for path in (
        STAND_IN,
        ROOT / "firmware" / "include",
        ROOT / "firmware" / "link",
        ROOT / "firmware" / "store",
        ROOT / "firmware" / "port" / "mapped",
    )
]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
WORDS = "are the to you your yes how hélas have here internationalisation interoperability internationally".split()
LINE_BYTES = 300


def compile_device(output: Path, *options: str) -> Path:
    """app/main.c, the link and the stand-in engine as a program that speaks on standard input and output."""
    sources = [*LINK_SOURCES, MAIN_SOURCE, STORE_SOURCE, STAND_IN / "engine.c", STAND_IN / "port.c"]
    command = ["cc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", *STRICT, *INCLUDES, *options, *sources, "-o", output]
    subprocess.run(command, check=True)
    return output


def compile_library(output: Path, *options: str) -> Path:
    """The link and the stand-in engine as a shared library, for Firmware."""
    sources = [*LINK_SOURCES, STAND_IN / "engine.c", STAND_IN / "library.c"]
    subprocess.run(
        ["cc", "-std=c99", *STRICT, *INCLUDES, *options, "-O1", "-shared", "-fPIC", *sources, "-o", output], check=True
    )
    return output


class Firmware:
    """The C link in this process: bytes in, bytes out, no clock."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._out = ctypes.create_string_buffer(1 << 16)

    def learned(self) -> int:
        """Lines that its memory has."""
        return self._library.test_learned()

    def boot(self) -> bytes:
        count = self._library.test_boot(self._out, len(self._out))
        return self._out.raw[:count]

    def send(self, sent: bytes) -> bytes:
        count = self._library.test_bytes(sent, len(sent), self._out, len(self._out))
        return self._out.raw[:count]


class Line:
    """A serial line to `device` (bytes in, bytes out) with a clock of its own: waiting takes no time.

    `noise` changes what passes, in both directions.
    """

    def __init__(self, device: Callable[[bytes], bytes], noise: Callable[[bytes], bytes] = bytes) -> None:
        self._device = device
        self._noise = noise
        self._pending = b""
        self.now_s = 0.0
        self.closed = False

    def clock(self) -> float:
        return self.now_s

    @property
    def in_waiting(self) -> int:
        return len(self._pending)

    def read(self, size: int = 1) -> bytes:
        if not self._pending:
            self.now_s += 0.1
        received, self._pending = self._pending[:size], self._pending[size:]
        return received

    def write(self, sent: bytes) -> None:
        self.now_s += 0.001
        self._pending += self._noise(self._device(self._noise(sent)))

    def greet(self, text: bytes) -> None:
        """Bytes that the device sends unasked."""
        self._pending += text

    def close(self) -> None:
        self.closed = True


class Noise:
    """Loses, doubles and changes bytes, and loses and doubles whole transmissions. Same seed, same noise."""

    def __init__(self, seed: int, byte_rate: float, burst_rate: float) -> None:
        self._random = random.Random(seed)
        self._byte_rate = byte_rate
        self._burst_rate = burst_rate

    def __call__(self, sent: bytes) -> bytes:
        if self._random.random() < self._burst_rate:
            sent = self._random.choice([b"", sent + sent])
        return b"".join(self._damage(byte) for byte in sent)

    def _damage(self, byte: int) -> bytes:
        if self._random.random() >= self._byte_rate:
            return bytes([byte])
        changed = bytes([byte ^ (1 << self._random.randrange(8))])
        return self._random.choice([b"", bytes([byte, byte]), changed, bytes([0])])


class StandIn:
    """tests/c/link/engine.c in Python: what the line and the suggestions must be."""

    def __init__(self) -> None:
        self.text = ""
        self.suggested: list[str] = []

    def reset(self) -> None:
        self.text = ""

    def feed(self, text: str) -> None:
        for letter in text:
            self.text = "" if letter == "\n" else self.text + letter

    def backspace(self) -> None:
        self.text = self.text[:-1]

    def suggest(self, count: int) -> list[str]:
        typed = self.text.rpartition(" ")[2]
        self.suggested = [w for w in WORDS if w.startswith(typed) and w != typed][:count]
        return self.suggested

    def accept(self, rank: int) -> None:
        before, space, _ = self.text.rpartition(" ")
        self.text = before + space + self.suggested[rank] + " "
