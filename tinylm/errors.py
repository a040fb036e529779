"""The one error that people read. Knows how a refusal is worded; knows nothing of any stage."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TinylmError(Exception):
    """A refusal in plain words: what happened and the value seen, then what to do next.

    Args:
        message: one sentence with the value seen and what is allowed.
        hint: what to type or change next; may be empty.
    The command line prints both and exits with `exit_code` (1; a usage error is click's 2).
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A hint that names the nearest allowed value, or lists them all when none is near."""
    choices = sorted(allowed)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    if close:
        return f"Did you mean '{close[0]}'?"
    return "Allowed: " + ", ".join(choices) + "."
