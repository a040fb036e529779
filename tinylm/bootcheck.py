"""A boot test: does a booted image answer, and does it type? Knows what a good answer is; boots nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from tinylm.errors import TinylmError
from tinylm.link import Device

WORDS = 3
SHOWN = 3


@dataclass(frozen=True)
class BootCheck:
    """What was typed: the line as the device held it at the end, what was fed and what was taken."""

    line: str
    keys: int
    taken: tuple[str, ...]


def check_typing(device: Device) -> BootCheck:
    """Types a line of three words: the first letter of the best suggestion, then the best one that begins with it.

    Needs no knowledge of the language. Raises TinylmError when a suggestion is missing or does not begin with the
    letter typed, or when the device holds another line than was typed.
    """
    device.reset()
    line, keys, taken = "", 0, []
    for _ in range(WORDS):
        offered = device.suggest(SHOWN)
        letter = offered[0][0] if offered else ""
        if not letter:
            raise _failed(f"no suggestion after {line!r}")
        device.feed(letter)
        offered = device.suggest(SHOWN)
        if not offered or not all(word.startswith(letter) for word in offered):
            raise _failed(f"after {line + letter!r} it suggests {offered}")
        device.accept(0)
        line, keys = f"{line}{offered[0]} ", keys + 2
        taken.append(offered[0])
        if device.line() != line:
            raise _failed(f"it holds {device.line()!r} instead of {line!r}")
    return BootCheck(line, keys, tuple(taken))


def _failed(what: str) -> TinylmError:
    return TinylmError(f"The board answers but does not type as it should: {what}.", "Build it again: tinylm build")
