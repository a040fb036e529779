"""How a stage tells what it is doing. Knows the shape of the message; shows nothing (cli/console.py does)."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int, str], None]
"""Told (stage, done, total or 0, note); a stage ends when done reaches total."""
