"""What tests of commands share: the command line in this process, and builds of tiny models for real boards."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models import tiny_word_model

from tinylm.board import load_board
from tinylm.building import build
from tinylm.cli import main
from tinylm.toolchain import find_tool


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit status, standard output and error."""

    status: int
    out: str
    err: str


def run_cli(*arguments: object, typed: bytes = b"") -> Outcome:
    """`tinylm ARGUMENTS` in this process, standard input a pipe with `typed` in it."""
    out, err, before = io.StringIO(), io.StringIO(), (sys.argv, sys.stdin)
    sys.argv = ["tinylm", *map(str, arguments)]
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed), "utf-8")
    status = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as leaving:
        status = leaving.code
    finally:
        sys.argv, sys.stdin = before
    return Outcome(status, out.getvalue(), err.getvalue())


@functools.cache
def tiny_build(board: str) -> Path:
    """The build folder of the tiny word model for a board, made once a test run. For reading."""
    folder = Path(_scratch()) / board
    build(tiny_word_model(), load_board(board), folder, None, lambda *_: None)
    return folder


@functools.cache
def _scratch() -> str:
    folder = tempfile.mkdtemp(prefix="tinylm-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextlib.contextmanager
def tools_on(path: str) -> Iterator[None]:
    """Only the programs in the folder `path` are found."""
    before = os.environ["PATH"]
    os.environ["PATH"] = path
    find_tool.cache_clear()
    try:
        yield
    finally:
        os.environ["PATH"] = before
        find_tool.cache_clear()
