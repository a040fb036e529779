"""What commands share to show things: tables, progress, JSON. The only module besides commands that prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

_FILE_WIDTH = 120  # of tables in files and pipes, where there is no terminal to ask


def console(stderr: bool = False) -> Console:
    """A console on stdout (or stderr); plain and wide enough when it is not a terminal."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=_FILE_WIDTH)


def show_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(title: str, columns: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> None:
    """A table; `right` are the indices of right-aligned columns."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


@contextmanager
def progress_bars(quiet: bool = False) -> Iterator[Any]:
    """A function report(stage, done, total, note) that draws one bar a stage on stderr.

    Where stderr is no terminal, a line is printed when a stage starts and for every tenth of it.
    """
    shown = console(stderr=True)
    if quiet:
        yield lambda *_: None
    elif shown.is_terminal:
        with _bars(shown) as bars:
            yield _BarReport(bars)
    else:
        yield _LineReport(shown)


def _bars(shown: Console) -> Progress:
    columns = (TextColumn("{task.description:<10}"), BarColumn(30), TextColumn("{task.percentage:>3.0f}%"))
    return Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=shown
    )


class _BarReport:
    """Draws on a terminal."""

    def __init__(self, bars: Progress) -> None:
        self.bars, self.tasks = bars, {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(stage, total=total or None, note=note)
        self.bars.update(self.tasks[stage], completed=done, total=total or None, note=note)


class _LineReport:
    """Prints lines for a log."""

    def __init__(self, shown: Console) -> None:
        self.shown, self.tenths = shown, {}

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        tenth = 10 * done // total if total else 0
        if self.tenths.get(stage) != tenth:
            self.tenths[stage] = tenth
            self.shown.print(f"{stage} {10 * tenth} % {note}".rstrip(), soft_wrap=True)
