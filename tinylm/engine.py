"""The engine on this computer: a model's own C, compiled once and called through ctypes. Knows the library; no files of text.

The protocol `Engine` is what everything that types speaks: this host engine, a device (link.py), tests' fakes.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from tinylm import __version__
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.generate import SUGGESTIONS, WORD_BYTES, EngineSizes, view_model, write_c
from tinylm.graph import understand_step
from tinylm.language import build_language
from tinylm.model import Model
from tinylm.ngram import UNITS_PER_NAT
from tinylm.resources import cache_dir, firmware_dir, templates_dir
from tinylm.statuses import describe_status

HOST_SIZES = EngineSizes(history=64, line_bytes=4096)
LEAST_MEMORY, MOST_MEMORY = 128, 65_535  # bytes of a user's memory: TLM_MEMORY_LEAST, and what its C type holds
HOST_MEMORY = 4096  # of `tinylm type --host`: as most boards have
MEMORIES = 1 << 15  # beginnings of lines that the host engine remembers: 6 MB at H = 128


class Engine(Protocol):
    """Follows one line that a person types. Ranks count from 0."""

    def reset(self) -> None:
        """Empty the line."""

    def feed(self, text: str) -> None:
        """Type characters."""

    def backspace(self) -> None:
        """Take back one character."""

    def accept(self, rank: int) -> None:
        """Take a suggestion of the last `suggest`: the word, then a space."""

    def suggest(self, count: int) -> list[str]:
        """The best `count` (1..5) words for what is typed, best first."""


def build_host_library(model: Model, folder: Path) -> Path:
    """Generate a model's C into `folder` and compile it to a shared library there; returns the library."""
    from tinylm.firmware import compile_host_library

    view = view_model(model, build_language(model), HOST_SIZES)
    write_c(view, folder / "generated", far_flash=False)
    return compile_host_library(folder / "generated", folder)


def cached_library(model: Model) -> Path:
    """The model's library from the cache; compiled on the first call (about two seconds), and again when tinylm changes."""
    made_of = f"{__version__} {model.hash} {model.info} {HOST_SIZES} {_processor()}"
    key = hashlib.sha256(made_of.encode() + _sources_digest()).hexdigest()[:16]
    folder = cache_dir() / "engines" / key
    for name in ("libtinylm.so", "libtinylm.dylib"):
        if (folder / name).is_file():
            return folder / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{key}-", dir=folder.parent))
    try:
        library = build_host_library(model, scratch)
        kept = scratch / "kept"
        kept.mkdir()
        library.replace(kept / library.name)
        try:
            kept.replace(folder)
        except OSError:  # another process was first: its library is the same
            if not (folder / library.name).is_file():
                raise
        return folder / library.name
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _sources_digest() -> bytes:
    """Of everything that decides the library: firmware, templates, and the modules that generate and compile."""
    digest = hashlib.sha256()
    folders = ((firmware_dir(), "*.[ch]"), (templates_dir(), "*.j2"), (Path(__file__).parent, "*.py"))
    for folder, pattern in folders:
        for path in sorted(folder.rglob(pattern)):
            digest.update(path.read_bytes())
    return digest.digest()


def _processor() -> str:
    """What -march=native looks at: a home that two computers share keeps a library for each."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        return platform.processor()


class HostEngine:
    """A model's engine in this process. Not for several threads at once: each takes a `twin`.

    With `memory_bytes` (128..65535) it learns what is typed, line by line at each newline; a twin has no memory.
    """

    def __init__(self, model: Model, memory_bytes: int = 0) -> None:
        path = cached_library(model)
        try:
            library = ctypes.CDLL(os.fspath(path))
        except OSError as error:
            raise TinylmError(
                f"The host engine '{path}' does not load: {error}.", f"Remove '{path.parent}', then try again."
            ) from error
        library.tlm_library_scores.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        library.tlm_library_followers.argtypes = [ctypes.c_void_p] * 3
        library.tlm_library_answer.restype = None
        library.tlm_library_answer.argtypes = [
            *[ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32],
            *[ctypes.c_bool, ctypes.c_void_p, ctypes.c_char_p],
        ]
        self._start(model, library)
        if memory_bytes:
            self._taught = ctypes.create_string_buffer(memory_bytes)
            _check(library.tlm_library_learn(self._state, self._taught, memory_bytes))

    def forget(self) -> None:
        """Erase what was learned."""
        self._library.tlm_library_forget(self._state)

    def twin(self) -> HostEngine:
        """Another engine of this model with a line of its own, for another thread: calls into the C run side by side."""
        other = object.__new__(HostEngine)
        other._start(self.model, self._library)
        return other

    def _start(self, model: Model, library: ctypes.CDLL) -> None:
        self.model, self._library = model, library
        self._state = ctypes.create_string_buffer(self._library.tlm_library_bytes())
        self._memories = ctypes.create_string_buffer(MEMORIES * self._library.tlm_library_memory_bytes())
        self._words = ctypes.create_string_buffer(SUGGESTIONS * WORD_BYTES + 1)
        self._type, self._suggest = self._library.tlm_library_type, self._library.tlm_library_suggest
        _check(self._library.tlm_library_open(self._state, self._memories, MEMORIES))

    def reset(self) -> None:
        """Empty the line."""
        self._library.tlm_reset(self._state)

    def feed(self, text: str) -> None:
        """Type characters."""
        for byte in text.encode():
            _check(self._library.tlm_feed(self._state, byte))

    def backspace(self) -> None:
        """Take back one character."""
        _check(self._library.tlm_backspace(self._state))

    def accept(self, rank: int) -> None:
        """Take a suggestion of the last `suggest`."""
        _check(self._library.tlm_accept(self._state, rank))

    def suggest(self, count: int) -> list[str]:
        """The best `count` words for what is typed."""
        _check(self._suggest(self._state, count, self._words))
        return self._words.value.decode().split("\n")[:-1]

    def type_line(self, line: str) -> None:
        """Make the line equal to `line`, reusing what it has in common with the one before."""
        text = line.encode()
        _check(self._type(self._state, text, len(text)))

    def answer(self, lines: Sequence[bytes], counts: bytes, letter_by_letter: bool) -> list[list[str] | int]:
        """For each line (UTF-8) the best counts[i] (1..5) words, or the `enum tlm_err` that it was refused with.

        `letter_by_letter`: as for a person who typed the last word so, and saw as many words after each letter; otherwise as
        `type_line` and `suggest`. One call into the C.
        """
        sizes = (ctypes.c_uint32 * len(lines))(*map(len, lines))
        found = (ctypes.c_int8 * len(lines))()
        out = ctypes.create_string_buffer(len(lines) * SUGGESTIONS * WORD_BYTES + 1)
        self._library.tlm_library_answer(
            self._state, b"".join(lines), sizes, counts, len(lines), letter_by_letter, found, out
        )
        words, at = out.value.decode().split("\n"), 0
        answers: list[list[str] | int] = []
        for n in found:
            answers.append(words[at : at + n] if n >= 0 else n)
            at += max(n, 0)
        return answers

    def scores(self) -> np.ndarray:
        """Scores of all rows (character kind: symbols) at the end of the line, int32 [V]; `units_per_nat` make one nat."""
        rows = np.zeros(65_536, np.int32)
        count = _check(self._library.tlm_library_scores(self._state, rows.ctypes.data))
        return rows[:count]

    def followers(self) -> dict[int, int]:
        """Costs of the words that the n-gram has at the end of the line, by their number; none without an n-gram."""
        rows, costs = np.zeros(65_536, np.uint16), np.zeros(65_536, np.uint16)
        count = _check(self._library.tlm_library_followers(self._state, rows.ctypes.data, costs.ctypes.data))
        return dict(zip(rows[:count].tolist(), costs[:count].tolist()))

    @property
    def units_per_nat(self) -> int:
        """Score units in one nat."""
        if self.model.info.kind == "ngram":
            return UNITS_PER_NAT
        return understand_step(read_tflite(self.model.tflite)).units_per_nat

    def hash(self, start: int, stride: int, steps: int) -> int:
        """The golden hash of `steps` steps (tlm_network_hash)."""
        return ctypes.c_uint32(self._library.tlm_network_hash(self._state, start, stride, steps)).value


def _check(status: int) -> int:
    if status < 0:
        raise TinylmError(f"The engine refused: {describe_status(status)}.")
    return status
