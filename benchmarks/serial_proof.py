#!/usr/bin/env python3
"""The proof that a board predicts as the host does: the same lines typed through the serial line of an emulated board and
on the host's engine, by the rule and the code of `tinylm evaluate`, compared key for key and suggestion for suggestion.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
from trigram import DEV

from tinylm.board import load_board
from tinylm.booting import BuiltImage, boot
from tinylm.building import build, read_build
from tinylm.catalogue import choose_model
from tinylm.cli.console import progress_bars
from tinylm.engine import Engine, HostEngine
from tinylm.errors import TinylmError
from tinylm.evaluate import load_lines
from tinylm.link import Device
from tinylm.measure import Tally, figures_of, type_line
from tinylm.model import Model, write_whole

Texts = dict[str, list[list[str]]]  # name -> lines of words
USER = "user_streams/user01"  # one: many lines of one user fill a memory
MEASURED = ("kss", "lines", "words", "characters", "keystrokes")


class OneExchange:
    """A device as an engine that keeps an edit until something is asked: one exchange a key, not two."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._typed = ""  # kept letters, or
        self._edit: Callable[[int], list[str]] | None = None  # any other kept edit
        self.exchanges = 0

    def reset(self) -> None:
        """Empty the line."""
        self._keep(self._device.reset)

    def feed(self, text: str) -> None:
        """Type characters; those that follow one another go together."""
        if self._edit:
            self._send(0)
        self._typed += text

    def backspace(self) -> None:
        """Take back one character."""
        self._keep(self._device.backspace)

    def accept(self, rank: int) -> None:
        """Take a suggestion of the last `suggest`."""
        self._keep(lambda count: self._device.accept(rank, count))

    def suggest(self, count: int) -> list[str]:
        """The best `count` words, in the answer to what was kept."""
        return self._send(count) if self._typed or self._edit else self._device.suggest(count)

    def _keep(self, edit: Callable[[int], list[str]]) -> None:
        if self._typed or self._edit:
            self._send(0)
        self._edit = edit

    def _send(self, count: int) -> list[str]:
        self.exchanges += 1
        typed, edit = self._typed, self._edit
        self._typed, self._edit = "", None
        return self._device.feed(typed, count) if typed else edit(count)


class Transcript:
    """Writes down what is done on an engine, and what it answers. `acts`: of the line since `reset`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.acts: list[tuple] = []

    def reset(self) -> None:
        """Begins a transcript."""
        self.acts = []
        self._engine.reset()

    def __getattr__(self, name: str) -> Callable:
        act = getattr(self._engine, name)

        def write_down(value: Any = None) -> Any:
            answer = act() if value is None else act(value)
            self.acts.append((name, value, answer))
            return answer

        return write_down


@dataclass
class Comparison:
    """Lines typed on both; a tally of each, the requests sent and the seconds they took."""

    board: Tally = field(default_factory=Tally)
    host: Tally = field(default_factory=Tally)
    exchanges: int = 0
    seconds: float = 0.0

    def add(self, other: Comparison) -> None:
        """Take another's counts in."""
        self.board.add(other.board)
        self.host.add(other.host)
        self.exchanges += other.exchanges
        self.seconds += other.seconds


def compare_text(
    device: Device,
    host: HostEngine,
    lines: Sequence[Sequence[str]],
    shown: int,
    learn: bool,
    told: Callable[[int], None],
) -> Comparison:
    """Type lines on both; with `learn`, from empty memories.

    Raises click.ClickException at the first difference: which line, what each did.
    """
    words = set(host.model.words)
    known = words.__contains__ if words else lambda _: True
    for engine in (device, host) if learn else ():
        engine.forget()
    adapter = OneExchange(device)
    on_board, on_host, found = Transcript(adapter), Transcript(host), Comparison()
    for number, line in enumerate(lines, 1):
        began = time.perf_counter()
        found.board.add(type_line(on_board, line, shown, known, False, learn))
        found.seconds += time.perf_counter() - began
        found.host.add(type_line(on_host, line, shown, known, False, learn))
        if on_board.acts != on_host.acts:
            raise click.ClickException(describe_difference(line, on_board.acts, on_host.acts))
        told(number)
    found.exchanges = adapter.exchanges
    return found


def describe_difference(line: Sequence[str], board: list[tuple], host: list[tuple]) -> str:
    """The first act of a line that differs."""
    at = next((i for i, (b, h) in enumerate(zip(board, host)) if b != h), min(len(board), len(host)))
    each = [str(acts[at]) if at < len(acts) else "nothing more" for acts in (board, host)]
    return f"In '{' '.join(line)}', act {at + 1}: the board did {each[0]}, the host {each[1]}."


def compare_texts(device: Device, host: HostEngine, texts: Texts, shown: int, learn: bool, report: Callable) -> dict:
    """Type every text on both; the results as JSON. Lines that the device cannot hold are left out and counted."""
    rows, all_of_them, too_long = {}, Comparison(), 0
    for name, lines in texts.items():
        fitting = [line for line in lines if len(" ".join(line)) < device.identity.line_bytes]
        too_long += len(lines) - len(fitting)
        told = partial(report, name, total=len(fitting), note="")
        found = compare_text(device, host, fitting, shown, learn, lambda done, told=told: told(done=done))
        all_of_them.add(found)
        rows[name] = {"board": figures(found.board), "host": figures(found.host)}
    board = figures(all_of_them.board)
    return {
        "equal": True,
        "lines_too_long": too_long,
        "board_figures": board,
        "host_figures": figures(all_of_them.host),
        "exchanges": all_of_them.exchanges,
        "keys_a_second": round(board["keystrokes"] / all_of_them.seconds, 1),
        "each_text": rows,
    }


def prove(
    model: Model, board_name: str, emulator: str | None, texts: Texts, shown: int, learn: bool, report: Callable
) -> dict:
    """Build, boot, compare; the results as JSON."""
    board = load_board(board_name)
    with tempfile.TemporaryDirectory(prefix="tinylm-serial-") as scratch:
        folder = Path(scratch) / board_name
        built = build(model, board, folder, None, report)
        with boot(BuiltImage(board, folder, read_build(folder)), emulator) as (running, device):
            what = {
                "model": model.info.name,
                "model_hash": f"{model.hash:08x}",
                "board": board_name,
                "emulator": running.name,
                "toolchain": built.toolchain,
                "shown": shown,
            }
            memory_bytes = device.identity.memory_bytes if learn else 0
            what |= {"memory_bytes": memory_bytes} if learn else {}
            return what | compare_texts(device, HostEngine(model, memory_bytes), texts, shown, learn, report)


def figures(tally: Tally) -> dict:
    """The part of Figures that typing without probes measures."""
    measured = figures_of(tally)
    return {name: getattr(measured, name) for name in MEASURED}


@click.command(context_settings={"show_default": True})
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="The texts: dev/en."
)
@click.option("--model", help="Model name or folder.  [default: the largest shipped]")
@click.option("--board", default="qemu-cortex-m4", help="Which board to build and boot.")
@click.option("--emulator", help="Which of the board's emulators.  [default: the best that is here]")
@click.option("--lines", default=200, type=click.IntRange(1), help="Lines of each text.")
@click.option("--shown", default=3, type=click.IntRange(1, 5), help="How many suggestions the person sees.")
@click.option("--learn", is_flag=True, help="Type one user's stream, learning, instead of the dev texts.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the results here.")
def command(
    data: Path,
    model: str | None,
    board: str,
    emulator: str | None,
    lines: int,
    shown: int,
    learn: bool,
    json_path: Path | None,
) -> None:
    """Type dev lines through a board's serial line and on the host; fail unless every key is the same."""
    try:
        chosen = choose_model(model)
        dev = data / "dev" / "en"
        paths = [dev / f"{name}.txt" for name in ((USER,) if learn else DEV)]
        texts = {path.stem: load_lines(path, chosen.info.alphabet, lines) for path in paths}
        with progress_bars() as report:
            proved = prove(chosen, board, emulator, texts, shown, learn, report)
    except TinylmError as error:
        raise click.ClickException(f"{error.message} {error.hint or ''}") from error
    on_board, on_host = proved["board_figures"], proved["host_figures"]
    click.echo(
        f"{proved['model']} on {board} ({proved['emulator']}): {on_board['lines']:,} lines, {on_board['characters']:,} "
        f"characters, {on_board['keystrokes']:,} keys, KSS@{shown} {on_board['kss']:.4f} %\n"
        f"on the host: {on_host['keystrokes']:,} keys, KSS@{shown} {on_host['kss']:.4f} %: equal, key for key\n"
        f"{proved['keys_a_second']:.0f} keys a second through the serial line"
    )
    if on_board != on_host:  # cannot be after equal transcripts
        raise click.ClickException("The two figures differ.")
    if json_path:
        named = f"--model {proved['model']} --board {board} --lines {lines} --shown {shown}"
        asked = f"python benchmarks/serial_proof.py --data DATA {named}"
        asked += " --learn" if learn else ""
        write_whole(json_path, (json.dumps({"command": asked} | proved, indent=2) + "\n").encode())


if __name__ == "__main__":
    command()
