#!/usr/bin/env python3
"""What learning is worth, and what it costs a chip: user streams typed line by line with a memory and without, and instructions.

    python benchmarks/learning.py savings --data DATA          # benchmarks/results/learning.json
    python benchmarks/learning.py cost                         # benchmarks/results/learning-cost.json
    python benchmarks/learning.py tables                       # what both found, into benchmarks/learning.md

A gain is the difference of two KSS@3 in points. Every user begins with an empty memory. `savings --only MODEL:MEMORY` adds to
what was measured; MODEL may be a folder (n-grams: runs/NAME/baseline of benchmarks/shipped_models.sh).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from report import replace_between

from tinylm.bench import choose_texts
from tinylm.board import load_board
from tinylm.budget import parse_bytes
from tinylm.catalogue import choose_model
from tinylm.cli.console import progress_bars
from tinylm.corpus import read_lines, word_finder
from tinylm.counting import count_model
from tinylm.engine import LEAST_MEMORY, MOST_MEMORY, HostEngine
from tinylm.errors import TinylmError
from tinylm.evaluate import load_lines
from tinylm.measure import type_line
from tinylm.model import Model, write_whole

HERE = Path(__file__).parent
SAVINGS, COST = HERE / "results" / "learning.json", HERE / "results" / "learning-cost.json"
BEGIN, END = "<!-- results: python benchmarks/learning.py tables -->", "<!-- end of results -->"
MEASURED = ("en-24k:1K", "en-24k:4K", "en-64k:4K", "en-256k:1K", "en-256k:4K", "en-256k:16K")
COUNTED = (
    ("en-24k", "arduino-mega"),
    ("en-24k", "qemu-cortex-m4"),
    ("en-256k", "qemu-cortex-m4"),
    ("en-256k", "esp32c3"),
)
BLOCK_LINES = 100
TEXTS = HERE.parent / "examples" / "texts" / "en"
LONGEST_LINE = 140  # characters: what the counting firmware's line holds
FITTED_ON = {"user01", "user04", "user08", "user12"}  # the numbers of tlm_taught.c
FILLS = 3  # characters of text for a byte of memory: more than it holds

Kept = list[tuple[int, int]]  # (characters, keys) of each line


def type_user(engine: HostEngine, lines: Sequence[Sequence[str]], learn: bool) -> Kept:
    """One user's lines in order."""
    if learn:
        engine.forget()
    return [type_line(engine, words, 3, lambda _: True, False, learn).lines[0] for words in lines]


def kss(lines: Kept) -> float:
    """Of lines together."""
    characters, keys = (sum(column) for column in zip(*lines))
    return 100 * (characters - keys) / characters


def measure(model: Model, memory_bytes: int, paths: Sequence[Path], report) -> dict:  # noqa: ANN001
    """All users with a memory and without."""
    label = f"{model.info.name}, {memory_bytes:,} bytes"
    learning, plain = HostEngine(model, memory_bytes), HostEngine(model)
    users: dict[str, tuple[Kept, Kept]] = {}
    for done, path in enumerate(paths):
        report(label, done, len(paths), path.stem)
        lines = load_lines(path, model.info.alphabet)
        users[path.stem] = type_user(plain, lines, False), type_user(learning, lines, True)
    report(label, len(paths), len(paths), "")
    each = {name: [round(kss(lines), 3) for lines in pair] for name, pair in users.items()}
    blocks = range(0, max(len(pair[0]) for pair in users.values()), BLOCK_LINES)
    return {
        "model": model.info.name,
        "memory_bytes": memory_bytes,
        "lines": sum(len(pair[0]) for pair in users.values()),
        "without": round(sum(each[u][0] for u in each) / len(each), 3),
        "with": round(sum(each[u][1] for u in each) / len(each), 3),
        "users": each,
        "blocks": [[round(k, 3) for k in _block(users, start)] for start in blocks],
    }


def _block(users: dict[str, tuple[Kept, Kept]], start: int) -> Iterator[float]:
    """Mean savings of the users' lines from `start` on, without and with."""
    for which in (0, 1):
        parts = [pair[which][start : start + BLOCK_LINES] for pair in users.values()]
        kept = [kss(part) for part in parts if part]
        yield sum(kept) / len(kept)


def teach(alphabet: str, memory_bytes: int) -> list[str]:
    """Lines of the project's own texts in turn, more than a memory holds."""
    words_of = word_finder(alphabet)
    texts = [list(read_lines(path)) for path in sorted(TEXTS.glob("*.txt"))]
    lines = (" ".join(words_of(line)) for row in zip(*texts) for line in row)
    chosen, size = [], 0
    for line in lines:
        if size > FILLS * memory_bytes:
            break
        if 0 < len(line) <= LONGEST_LINE:
            chosen.append(line)
            size += len(line)
    return chosen


@click.group()
def command() -> None:
    """What learning is worth and what it costs."""


@command.command("savings")
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="The texts: dev/en."
)
@click.option(
    "--only", multiple=True, help="MODEL:MEMORY, for example en-24k:1K; the others stay as they were measured."
)
@click.option("--json", "output", default=SAVINGS, type=click.Path(dir_okay=False, path_type=Path), help="The results.")
def measure_savings(data: Path, only: tuple[str, ...], output: Path) -> None:
    """Type the user streams with and without learning."""
    paths = sorted((data / "dev" / "en" / "user_streams").glob("*.txt"))
    found = (
        {_name(row): row for row in json.loads(output.read_text("utf-8"))["measured"]}
        if only and output.exists()
        else {}
    )
    with progress_bars() as report:
        for asked in only or MEASURED:
            name, _, size = asked.rpartition(":")
            try:
                memory_bytes = parse_bytes(size, "memory", LEAST_MEMORY, MOST_MEMORY)
                row = measure(choose_model(name), memory_bytes, paths, report)
            except TinylmError as error:
                raise click.ClickException(f"{error.message} {error.hint or ''}") from error
            found[_name(row)] = row
    write_whole(output, (json.dumps({"measured": sorted(found.values(), key=_place)}, indent=1) + "\n").encode())


def _name(row: dict) -> tuple:
    return row["model"], row["memory_bytes"]


def _place(row: dict) -> tuple:
    return "ngram" in row["model"], row["without"], row["memory_bytes"]


@command.command("cost")
@click.option("--only", multiple=True, help="MODEL:BOARD, for example en-24k:arduino-mega.")
@click.option("--json", "output", default=COST, type=click.Path(dir_okay=False, path_type=Path), help="The results.")
def measure_cost(only: tuple[str, ...], output: Path) -> None:
    """Count a word and keystrokes with the board's memory full and without it."""
    rows = []
    for name, board_name in [asked.split(":") for asked in only] or COUNTED:
        board, model = load_board(board_name), choose_model(name)
        taught = teach(model.info.alphabet, board.user_memory_bytes)
        counts = count_model(model, board, None, choose_texts(model), taught)
        cost = {k: round(v) for k, v in counts.intervals.items()}
        rows.append({"model": model.info.name, "board": board_name, "toolchain": counts.toolchain, "unit": counts.unit,
                     "memory_bytes": board.user_memory_bytes, "cost": cost})  # fmt: skip
        click.echo(f"{name} on {board_name}, {counts.unit}: {cost}")
    write_whole(output, (json.dumps({"measured": rows}, indent=1) + "\n").encode())


@command.command("tables")
def write_tables() -> None:
    """Rewrite the tables of benchmarks/learning.md."""
    page = HERE / "learning.md"
    savings, cost = (json.loads(path.read_text("utf-8"))["measured"] for path in (SAVINGS, COST))
    tables = "\n".join((render_savings(savings), render_curves(savings), render_cost(cost)))
    write_whole(page, replace_between(page.read_text("utf-8"), tables, BEGIN, END).encode())


def render_savings(rows: list[dict]) -> str:
    """A row for each model and memory."""
    out = ["| model | memory, bytes | lines | without | learning | gain | unseen | least of a user | most |",
           "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for row in rows:
        by_user = {user: learned - plain for user, (plain, learned) in row["users"].items()}
        gains = list(by_user.values())
        unseen = [gain for user, gain in by_user.items() if user not in FITTED_ON]
        some = f"{sum(unseen) / len(unseen):+.2f} | {min(gains):+.2f} | {max(gains):+.2f}"
        out.append(f"| {row['model']} | {row['memory_bytes']:,} | {row['lines']:,} | {row['without']:.2f} | {row['with']:.2f} | "
                   f"**{row['with'] - row['without']:+.2f}** | {some} |")  # fmt: skip
    return "\n".join(out) + "\n"


def render_curves(rows: list[dict]) -> str:
    """The gain by where in a stream the lines are."""
    blocks = max(len(row["blocks"]) for row in rows)
    heads = " | ".join(f"{BLOCK_LINES * i + 1} to {BLOCK_LINES * (i + 1)}" for i in range(blocks))
    out = [f"| gain of lines | memory, bytes | {heads} |", "|---|--:|" + "--:|" * blocks]
    for row in rows:
        gains = " | ".join(f"{learned - plain:+.2f}" for plain, learned in row["blocks"])
        out.append(f"| {row['model']} | {row['memory_bytes']:,} | {gains} |")
    return "\n".join(out) + "\n"


def render_cost(rows: list[dict]) -> str:
    """Each interval without a memory, then with a full one."""
    names = ("word", "letter 1", "letter 2", "letter 3")
    out = ["| model | board, compiler | unit | memory, bytes | " + " | ".join(names) + " | a line's newline |",
           "|---|---|---|--:|" + "--:|" * (len(names) + 1)]  # fmt: skip
    for row in rows:
        cost = row["cost"]
        cells = " | ".join(f"{cost[name]:,} -> {cost[name + ', learning']:,}" for name in names)
        out.append(f"| {row['model']} | {row['board']}, {row['toolchain']} | {row['unit']} | {row['memory_bytes']:,} | {cells} | "
                   f"{cost['newline']:,} |")  # fmt: skip
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    command()
