"""`tinylm type`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tinylm.cli.console import show_json
from tinylm.errors import TinylmError

_OTHERWISE = (
    "Plug one in that holds tinylm (tinylm flash), boot an emulated one (tinylm type --board qemu-cortex-m4), "
    "or try a model on this computer (tinylm type --host)."
)


@dataclass(frozen=True)
class _Target:
    """What is typed on: an engine, what to call it, its letters, its longest line."""

    engine: Any
    title: str
    alphabet: str
    line_bytes: int


@click.command("type", context_settings={"show_default": True})
@click.option("--port", "-p", help="Serial port or socket://HOST:PORT.  [default: the one attached board]")
@click.option("--baud", type=click.IntRange(min=1200), help="Speed of the serial port.  [default: 115200]")
@click.option("--board", "-b", help="Boot this board's build in its emulator and type there.")
@click.option(
    "--build", "folder", type=click.Path(path_type=Path), help="With --board: its folder.  [default: build/BOARD]"
)
@click.option("--host", is_flag=True, help="Type on this computer's own engine: no board at all.")
@click.option(
    "--model",
    "-m",
    help="With --host: model name or folder.  [default: the project's, else the largest shipped, up to 256 KB]",
)
@click.option("--shown", default=3, type=click.IntRange(1, 5), help="How many suggestions.")
@click.option("--learn/--no-learn", default=True, help="Suggest what was typed in earlier lines; learn each line.")
@click.option("--forget", is_flag=True, help="First erase what the board has learned.")
@click.option(
    "--lines", type=click.File("rb"), help="Type these lines (- is standard input) as the perfect typist does."
)
@click.option("--json", "as_json", is_flag=True, help="With lines: print what was typed as JSON.")
def command(
    port: str | None,
    baud: int | None,
    board: str | None,
    folder: Path | None,
    host: bool,
    model: str | None,
    shown: int,
    learn: bool,
    forget: bool,
    lines: Any,
    as_json: bool,
) -> None:
    """Type with suggestions: 1 2 3 or Tab take one, Enter ends the line, Ctrl-D leaves.

    With --lines, or when standard input is no terminal, its lines are typed by a person who takes a word as soon as it
    is shown; what suggestions wrote stands in brackets. Such lines are lower-cased words with single spaces.
    """
    if (port is not None) + (board is not None) + host > 1:
        raise click.UsageError("--port, --board and --host exclude each other.")
    if model and not host:
        raise click.UsageError("--model goes with --host; a board has its model already.")
    if baud and (host or board):
        raise click.UsageError("--baud goes with --port: only a serial line has a speed.")
    if folder and not board:
        raise click.UsageError("--build goes with --board.")
    source = lines or (None if sys.stdin.isatty() else sys.stdin.buffer)
    if as_json and source is None:
        raise click.UsageError("--json goes with --lines FILE.")
    with _open(port, baud, board, folder, host, model, learn) as target:
        if forget:
            target.engine.forget()
        if source is not None:
            _type_lines(target, source, shown, as_json)
        else:
            _type_keys(target, shown)


@contextlib.contextmanager
def _open(
    port: str | None,
    baud: int | None,
    board: str | None,
    folder: Path | None,
    host: bool,
    model: str | None,
    learn: bool,
) -> Iterator[_Target]:
    from tinylm.attached import choose_attached
    from tinylm.corpus import ALPHABETS
    from tinylm.link import BAUD, Device

    if host:
        from tinylm.catalogue import choose_model
        from tinylm.engine import HOST_MEMORY, HOST_SIZES, HostEngine

        chosen = choose_model(model)
        engine = HostEngine(chosen, HOST_MEMORY if learn else 0)
        yield _Target(engine, f"{chosen.info.name} on this computer", chosen.info.alphabet, HOST_SIZES.line_bytes)
    elif board:
        from tinylm.booting import boot, find_image

        image = find_image(board, folder)
        letters = ALPHABETS.get(image.record.get("language"), ALPHABETS["en"])
        with boot(image) as (emulator, device):
            yield _device_target(device, f"{device.identity.board}, run by {emulator.name}", letters, learn)
    else:
        with Device.open(port or choose_attached(None, _OTHERWISE).path, baud or BAUD) as device:
            yield _device_target(device, device.identity.board, _letters_of(device.identity.model_hash), learn)


def _device_target(device: Any, where: str, alphabet: str, learn: bool) -> _Target:
    if device.identity.memory_bytes:
        device.use_memory(learn)
    return _Target(device, f"{device.identity.model} on {where}", alphabet, device.identity.line_bytes)


def _letters_of(model_hash: int) -> str:
    """A device does not tell its letters: those of the model here that it holds, else of the project's language."""
    from tinylm.catalogue import project_entry, shipped_entries
    from tinylm.corpus import ALPHABETS
    from tinylm.model import load_model
    from tinylm.project import find_project

    project = find_project()
    own = project_entry(project)
    for entry in [*([own] if own else []), *shipped_entries()]:
        model = load_model(entry.folder)
        if model.hash == model_hash:
            return model.info.alphabet
    return ALPHABETS.get(project.language if project else "en", ALPHABETS["en"])


def _type_keys(target: _Target, shown: int) -> None:
    from tinylm.cli.typing_screen import type_interactively
    from tinylm.session import TypingSession

    picks = " ".join(str(n) for n in range(1, shown + 1))
    click.echo(f"tinylm {target.title}\nType; {picks} or Tab take a suggestion, Enter ends the line.")
    type_interactively(TypingSession(target.engine, shown, target.line_bytes))


def _type_lines(target: _Target, source: Iterable[bytes], shown: int, as_json: bool) -> None:
    from tinylm.session import Savings
    from tinylm.typist import type_words

    typed = []
    for words in _read_words(source, target):
        line = type_words(target.engine, words, shown)
        typed.append(line)
        if not as_json:
            click.echo(f"{line.marked()}   {line.keys} keys for {line.characters}: {line.kss:.0f} % saved")
    total = Savings(sum(t.characters for t in typed), sum(t.keys for t in typed))
    if not typed:
        raise TinylmError("The input has no line with a word in it.", f"Letters that count: {target.alphabet}")
    if as_json:
        sums = {"characters": total.characters, "keys": total.keys, "kss": round(total.kss, 4)}
        show_json({"on": target.title, "shown": shown, "lines": [t.as_json() for t in typed], **sums})
    else:
        click.echo(f"{len(typed)} lines on {target.title}: {total.characters} characters, {total.keys} keys, "
                   f"{total.kss:.2f} % saved.")  # fmt: skip


def _read_words(source: Iterable[bytes], target: _Target) -> Iterator[list[str]]:
    """The lines that have a word, in pieces that the engine's line holds. Raises TinylmError for what is not UTF-8."""
    from tinylm.corpus import word_finder
    from tinylm.measure import split_line

    words_of = word_finder(target.alphabet)
    for number, line in enumerate(source, 1):
        try:
            words = words_of(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise TinylmError(f"Line {number} of the input is not UTF-8.", "Give plain UTF-8 text.") from error
        yield from split_line(words, target.line_bytes)
