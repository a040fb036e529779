"""Types lines as the perfect typist of measure.py does, and tells what was taken. Knows words; no file or screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinylm.engine import Engine
from tinylm.measure import type_word


@dataclass(frozen=True)
class TypedWord:
    """A word as it then stood in the line, and how many of its letters were typed; `taken`: whether a suggestion wrote the rest."""

    word: str
    letters: int
    taken: bool


@dataclass(frozen=True)
class TypedLine:
    """A line as it was typed. `characters` and `keys` are those of docs/SPEC.md's measure."""

    words: tuple[TypedWord, ...]
    characters: int
    keys: int

    @property
    def kss(self) -> float:
        """Keystrokes saved, in percent."""
        return 100.0 * (self.characters - self.keys) / self.characters

    def marked(self) -> str:
        """The line with what suggestions wrote in brackets: 'how [are] y[ou]'."""
        return " ".join(w.word[: w.letters] + f"[{w.word[w.letters :]}]" * w.taken for w in self.words)

    def as_json(self) -> dict:
        """For programs."""
        return {
            "line": " ".join(w.word for w in self.words),
            "taken": [w.word for w in self.words if w.taken],
            "marked": self.marked(),
            "characters": self.characters,
            "keys": self.keys,
            "kss": round(self.kss, 2),
        }


class _Watched:
    """An engine that remembers the suggestion that was taken ('': none was)."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._shown, self.taken = engine, [], ""
        self.feed = engine.feed

    def suggest(self, count: int) -> list[str]:
        self._shown = self._engine.suggest(count)
        return self._shown

    def accept(self, rank: int) -> None:
        self.taken = self._shown[rank]
        self._engine.accept(rank)


def type_words(engine: Engine, words: Sequence[str], shown: int) -> TypedLine:
    """Type one line, of at least one word, from an empty one, and end it: an engine with a memory learns it."""
    engine.reset()
    typed, keys = [], 0
    for i, word in enumerate(words):
        watched = _Watched(engine)
        pressed = type_word(watched, word, i == len(words) - 1, shown)
        keys += pressed
        letters = pressed - 1 if watched.taken else len(word)
        typed.append(TypedWord(watched.taken or word, letters, bool(watched.taken)))
    engine.feed("\n")
    return TypedLine(tuple(typed), len(" ".join(words)), keys)
