"""Answers queries: which engine to ask, and JSON lines in and out. Knows queries; knows no network and no wire format."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from tinylm.errors import TinylmError

# Of a context, only its end is typed: what lies further back than this many characters has no effect worth its time.
MOST_CONTEXT = 300
_CHUNK_BYTES = 1 << 16


class TypedLine:
    """Any engine (a device, say) with `type_line`, done by typing from an empty line."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.suggest = engine, engine.suggest

    def type_line(self, line: str) -> None:
        """Make the line equal to `line`."""
        self.engine.reset()
        self.engine.feed(line)


@contextlib.contextmanager
def open_engine(model: str | None, port: str | None, board: str | None) -> Iterator[Any]:
    """An engine with `type_line` and `suggest`: the host's, or the device on a port, or an emulated board's."""
    if port and board:
        raise TinylmError("--port and --emulate exclude each other.", "Give one of them.")
    if not port and not board:
        from tinylm.catalogue import choose_model
        from tinylm.engine import HostEngine

        yield HostEngine(choose_model(model))
        return
    if model:
        raise TinylmError(
            "A device has its model already; --model chooses one for this computer.", "Leave --model out."
        )
    from tinylm.link import Device

    with contextlib.ExitStack() as stack:
        url = port or stack.enter_context(_boot(board)).url
        yield TypedLine(stack.enter_context(Device.open(url)))


def _boot(board: str) -> Any:
    from tinylm.board import load_board
    from tinylm.building import read_build
    from tinylm.emulator import start
    from tinylm.project import Project, find_project

    folder = (find_project() or Project(name="")).build_folder / board
    chosen = load_board(board)
    read_build(folder)
    return start(chosen, folder)


def answer_lines(engine: Any, stream: BinaryIO, count: int) -> Iterator[str]:
    """Answers in order, as text of one or more lines each; given as soon as the input pauses.

    A line that is no query is answered with {"error": ...} in its place.
    """
    rest, number = b"", 0
    while chunk := os.read(stream.fileno(), _CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        answers = []
        for line in whole:
            number += 1
            if line.strip():
                answers.append(_answer(engine, line, number, count))
        if answers:
            yield "\n".join(answers) + "\n"
    if rest.strip():
        yield _answer(engine, rest, number + 1, count) + "\n"


def _answer(engine: Any, line: bytes, number: int, count: int) -> str:
    try:
        query = json.loads(line)
        context, prefix = query["context"], query["prefix"]
        wanted = query.get("count", count)
        typed = line_of(context, prefix)
    except (ValueError, KeyError, TypeError, AttributeError):
        return json.dumps({"error": f'line {number} is no query: {{"context": "how are", "prefix": "y"}} is one'})
    if not isinstance(wanted, int) or not 1 <= wanted <= 5:
        return json.dumps({"error": f"line {number}: count is {wanted!r}, 1 to 5 are allowed"})
    engine.type_line(typed)
    return json.dumps({"suggestions": engine.suggest(wanted)}, ensure_ascii=False)


def line_of(context: str, prefix: str) -> str:
    """The line to type: the context's last words, a space, the prefix. Only the last line of a context counts."""
    context = context.rsplit("\n", 1)[-1].rstrip()
    if len(context) > MOST_CONTEXT:
        context = context[-MOST_CONTEXT:].partition(" ")[2]
    return f"{context} {prefix}" if context else prefix
