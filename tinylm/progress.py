"""How a stage tells what it is doing. Knows the shape of the message; shows nothing (cli/console.py does)."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int, str], None]
"""Told (stage, done, total or 0, note); a stage ends when done reaches total."""


def byte_counter(stage: str, total: int, report: Report) -> Callable[[int], None]:
    """A function that is told the bytes read, and tells `report` how far of `total` a stage is."""
    seen = 0

    def add(size: int) -> None:
        nonlocal seen
        seen += size
        report(stage, seen, total, "")

    return add
