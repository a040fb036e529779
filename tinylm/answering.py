"""Answers queries: which engine to ask, and JSON lines in and out. Knows queries; knows no network and no wire format."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, Protocol

from tinylm.errors import TinylmError
from tinylm.statuses import describe_status

# Of a context, only its end is typed: what lies further back than this many characters has no effect worth its time.
MOST_CONTEXT = 300
LONGEST_QUERY_BYTES = 1 << 20
MOST_ENGINES = 4  # beyond, Python's own share of the work (a tenth) keeps the rest waiting
_CHUNK_BYTES = 1 << 16
_PIECE_LINES = 128  # answered by one engine in one go: some 5 ms
_FEW_LINES = 16  # not worth waking another thread
_EXAMPLE = '{"context": "how are", "prefix": "y"}'
_decoder = json.JSONDecoder()


class Answering(Protocol):
    """What answers queries. `piece_lines`: how many it may keep waiting for one another."""

    piece_lines: int

    def answer(self, lines: Sequence[bytes], counts: bytes, letter_by_letter: bool) -> list[list[str] | int]:
        """For each line (UTF-8) the best counts[i] (1..5) words, or an `enum tlm_err`; `letter_by_letter`: see HostEngine."""


class HostAnswers:
    """The host's engines, one a thread; the first is there at once, the others when there is much to answer."""

    piece_lines = _PIECE_LINES

    def __init__(self, engine: Any) -> None:
        self.engine, self.answer = engine, engine.answer

    def twin(self) -> HostAnswers:
        """Another that may answer at the same time."""
        return HostAnswers(self.engine.twin())


class DeviceAnswers:
    """A device: each query is typed from an empty line and answered by itself."""

    piece_lines = 1

    def __init__(self, device: Any) -> None:
        self.device = device

    def answer(self, lines: Sequence[bytes], counts: bytes, letter_by_letter: bool) -> list[list[str] | int]:
        """See Answering."""
        return [self._suggest(line.decode(), count, letter_by_letter) for line, count in zip(lines, counts)]

    def _suggest(self, line: str, count: int, letter_by_letter: bool) -> list[str] | int:
        from tinylm.link import DeviceError

        try:
            self.device.reset()
            before = line.rfind(" ") + 1 if letter_by_letter else len(line)
            found = self.device.feed(line[:before], count) if before else self.device.suggest(count)
            for letter in line[before:]:
                found = self.device.feed(letter, count)
            return found
        except DeviceError as refusal:
            return refusal.code


@contextlib.contextmanager
def open_answers(model: str | None, port: str | None, board: str | None) -> Iterator[Answering]:
    """The host's engine, or the device on a port, or an emulated board's."""
    if port and board:
        raise TinylmError("--port and --emulate exclude each other.", "Give one of them.")
    if not port and not board:
        from tinylm.catalogue import choose_model
        from tinylm.engine import HostEngine

        yield HostAnswers(HostEngine(choose_model(model)))
        return
    if model:
        raise TinylmError(
            "A device has its model already; --model chooses one for this computer.", "Leave --model out."
        )
    if board:
        from tinylm.booting import boot, find_image

        with boot(find_image(board)) as (_, device):
            yield DeviceAnswers(device)
        return
    from tinylm.link import Device

    with Device.open(port) as device:
        yield DeviceAnswers(device)


def answer_text(answers: Answering, text: str, count: int) -> list[str]:
    """The best `count` words for one text, of which no list was seen. Raises TinylmError when it does not fit the engine's line."""
    context, _, prefix = text.rpartition(" ")
    try:
        line = line_of(context, prefix).encode()
    except UnicodeEncodeError as error:
        raise TinylmError(f"{text[-40:]!r} is no text: {error.reason}.", "Give UTF-8.") from None
    found = answers.answer([line], bytes([count]), letter_by_letter=False)[0]
    if isinstance(found, int):
        raise TinylmError(f"The engine refused: {describe_status(found)}.", "Give the last sentence alone.")
    return found


def answer_lines(answers: Answering, stream: BinaryIO, count: int) -> Iterator[str]:
    """Answers in order, as text of one or more lines each; given as soon as the input pauses. Prefixes are typed letter by letter.

    A line that is no query is answered with {"error": ...} in its place.
    """
    rest, number = b"", 1
    with _Pool(answers, count) as pool:
        while chunk := os.read(stream.fileno(), _CHUNK_BYTES):
            *whole, rest = (rest + chunk).split(b"\n")
            rest = rest[: LONGEST_QUERY_BYTES + 1]  # still too long when it is ended
            for start in range(0, len(whole), answers.piece_lines):
                pool.put(whole[start : start + answers.piece_lines], number + start)
                yield from pool.take(not_yet=True)
            number += len(whole)
            yield from pool.take(not_yet=_has_more(stream))
        pool.put([rest], number)
        yield from pool.take(not_yet=False)


def _has_more(stream: BinaryIO) -> bool:
    """Whether more can be read without waiting."""
    try:
        return bool(select.select([stream], [], [], 0)[0])
    except (OSError, ValueError):  # Windows asks sockets only
        return False


class _Pool:
    """Pieces of the input, answered side by side and given back in order. One CPU, or a device: one after the other."""

    def __init__(self, answers: Answering, count: int) -> None:
        self.answers, self.count = answers, count
        self.most = min(_cpus(), MOST_ENGINES) if isinstance(answers, HostAnswers) else 1
        self.pending: deque[Future[str]] = deque()
        self.threads: ThreadPoolExecutor | None = None
        self.idle: queue.SimpleQueue[Answering] = queue.SimpleQueue()
        self.idle.put(answers)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self.threads:
            self.threads.shutdown(cancel_futures=True)

    def put(self, lines: list[bytes], first: int) -> None:
        """Begin a piece; `first` is the number of its first line. Little work is done at once, in this thread."""
        if self.most == 1 or (len(lines) <= _FEW_LINES and not self.pending):
            done: Future[str] = Future()
            done.set_result(self._answer(lines, first))
            self.pending.append(done)
            return
        if not self.threads:
            self.threads = ThreadPoolExecutor(self.most)
            for _ in range(self.most - 1):
                self.idle.put(self.answers.twin())
        self.pending.append(self.threads.submit(self._answer, lines, first))

    def take(self, not_yet: bool) -> Iterator[str]:
        """What is answered; with `not_yet`, without waiting for the rest while every engine has work."""
        while self.pending and (not not_yet or self.pending[0].done() or len(self.pending) > 4 * self.most):
            if text := self.pending.popleft().result():
                yield text

    def _answer(self, lines: list[bytes], first: int) -> str:
        engine = self.idle.get()
        try:
            return answer_piece(engine, lines, first, self.count)
        finally:
            self.idle.put(engine)


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def answer_piece(answers: Answering, lines: list[bytes], first: int, count: int) -> str:
    """JSON lines with the answers to `lines`; empty ones have none. `first`: the number of the first line."""
    errors: dict[int, str] = {}
    queries: list[tuple[bytes, int]] = []
    numbers = [first + i for i, line in enumerate(lines) if line and not line.isspace()]
    for number in numbers:
        try:
            queries.append(parse_query(lines[number - first], count))
        except TinylmError as error:
            errors[number] = json.dumps({"error": f"line {number}: {error.message}"}, ensure_ascii=False)
    typed, counts = [line for line, _ in queries], bytes(wanted for _, wanted in queries)
    found = zip(typed, answers.answer(typed, counts, letter_by_letter=True) if typed else ())
    return "".join((errors[n] if n in errors else _render(n, *next(found))) + "\n" for n in numbers)


def lower_answer(typed: str, found: list[str]) -> dict[str, list[str]]:
    """`suggestions` are in lower case for a text that is, as the measure types; `written` is how a device writes them then."""
    if typed != typed.lower():
        return {"suggestions": found}
    lower = [word.lower() for word in found]
    return {"suggestions": lower} | ({"written": found} if lower != found else {})


def _render(number: int, typed: bytes, found: list[str] | int) -> str:
    if isinstance(found, int):
        return json.dumps({"error": f"line {number}: refused: {describe_status(found)}"})
    joined = '", "'.join(found)
    if not found or "\\" in joined or joined.count('"') != 2 * len(found) - 2 or not joined.islower():
        return json.dumps(lower_answer(typed.decode(), found), ensure_ascii=False)  # no alphabet has such signs today
    return f'{{"suggestions": ["{joined}"]}}'


def parse_query(line: bytes, count: int) -> tuple[bytes, int]:
    """What to type (UTF-8), and how many words are wanted. Raises TinylmError: what is wrong."""
    if len(line) > LONGEST_QUERY_BYTES:
        raise TinylmError(f"longer than {LONGEST_QUERY_BYTES:,} bytes")
    try:
        query = _decoder.decode(line.decode())
        wanted = query.get("count", count)
        typed = line_of(query["context"], query["prefix"]).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TinylmError(f"no query; {_EXAMPLE} is one") from None
    if type(wanted) is not int or not 1 <= wanted <= 5:
        raise TinylmError(f"count is {wanted!r}, 1 to 5 are allowed")
    return typed, wanted


def line_of(context: str, prefix: str) -> str:
    """The line to type: the context's last words, a space, the prefix. Only the last line of a context counts.

    Control characters, which an engine would obey, become spaces. Raises AttributeError for what is no text.
    """
    context = _clean(context.rsplit("\n", 1)[-1]).rstrip()
    if len(context) > MOST_CONTEXT:
        context = context[-MOST_CONTEXT:].partition(" ")[2]
    prefix = _clean(prefix)
    return f"{context} {prefix}" if context else prefix


def _clean(text: str) -> str:
    return text if text.isprintable() else "".join(c if c >= " " and c != "\x7f" else " " for c in text)
