#!/usr/bin/env python3
"""What one model takes of each board: flash, RAM, image, what a keystroke and a word cost, what building it costs this computer.

Writes results/boards.json, a board at a time; `report.py` makes the README's table of it. A board that no emulator counts here
(esp32, whose core is qemu-xtensa-de212's) has no costs. Building is told as processor time: that does not grow on a busy computer.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import click

from tinylm.bench import choose_texts, costs_of
from tinylm.board import Board, board_names, load_board
from tinylm.building import build
from tinylm.catalogue import find_folder
from tinylm.counting import count_model
from tinylm.errors import TinylmError
from tinylm.model import Model, load_model, write_whole

RESULTS = Path(__file__).parent / "results" / "boards.json"
MODEL = "en-24k"  # the one that every board has room for


def measure_board(model: Model, board: Board) -> dict:
    """One row. Raises TinylmError when a compiler is missing."""
    with tempfile.TemporaryDirectory(prefix="tinylm-boards-") as name:
        before = sum(os.times()[:4])  # of this process and of programs that ended
        made = build(model, board, Path(name) / "build", "gcc", lambda *_: None)
        spent = sum(os.times()[:4]) - before
        images = {kind: (Path(name) / "build" / file).stat().st_size for kind, file in made.images.items()}
    row = {
        "board": board.name,
        "flash_bytes": made.measured.flash_bytes,
        "ram_bytes": made.measured.ram_bytes,
        "images": {kind: size for kind, size in images.items() if not kind.startswith("model.")},
        "build_cpu_s": round(spent, 1),
    }
    try:
        counts = count_model(model, board, "gcc", choose_texts(model))
    except TinylmError:
        return row
    return row | {"unit": counts.unit, "counted_in": counts.emulator, "cost": costs_of(counts)}


def render_boards(found: dict) -> str:
    """Markdown: a row for each board that was measured, in the order of their names."""
    out = [
        "| board | processor | flash | RAM | image | a keystroke | a word | build | runs in, which emulates | silicon |",
        "|---|---|--:|--:|--:|--:|--:|--:|---|---|",
    ]
    for row in sorted(found["boards"], key=lambda row: row["board"]):
        board = load_board(row["board"])
        best = board.emulators[0]
        kind = board.image.formats[0] if board.image.formats else ""
        image = f"{row['images'][kind]:,} ({kind})" if kind else "none"
        cells = [board.name, board.chip, f"{row['flash_bytes']:,}", f"{row['ram_bytes']:,}", image,
                 *(_cost(row, what, board) for what in ("keystroke", "word")), f"{row['build_cpu_s']:.1f} s",
                 f"{best.name}: {best.fidelity}", "not seen" if board.flasher else "is emulated"]  # fmt: skip
        out.append(f"| {' | '.join(cells)} |")
    return "\n".join(out) + "\n"


def _cost(row: dict, what: str, board: Board) -> str:
    """Thousands of instructions (or cycles), and milliseconds at the board's clock if each takes one cycle."""
    if "cost" not in row:
        return ""
    taken = row["cost"][what]
    return f"{taken / 1000:,.0f} k, {1000 * taken / board.clock_hz:.1f} ms"


def _empty(model: Model) -> dict:
    return {"command": "python benchmarks/boards.py", "model": model.info.name, "boards": []}


@click.command(context_settings={"show_default": True})
@click.option("--board", "-b", "names", multiple=True, help="Only this board; the others' rows stay.  [default: all]")
@click.option("--model", "-m", default=MODEL, help="Model name or folder.")
@click.option("--results", default=RESULTS, type=click.Path(dir_okay=False, path_type=Path))
def command(names: tuple[str, ...], model: str, results: Path) -> None:
    """Measure boards and write their rows."""
    chosen = load_model(find_folder(model))
    found = json.loads(results.read_text("utf-8")) if results.exists() else _empty(chosen)
    if found["model"] != chosen.info.name:
        found = _empty(chosen)
    for name in names or [name for name in board_names() if load_board(name).memory]:
        row = measure_board(chosen, load_board(name))
        kept = [old for old in found["boards"] if old["board"] != name]
        found["boards"] = sorted([*kept, row], key=lambda row: row["board"])
        write_whole(results, (json.dumps(found, indent=1) + "\n").encode())
        click.echo(f"{name}: {row['flash_bytes']:,} bytes of flash, {row['build_cpu_s']} s")


if __name__ == "__main__":
    command()
