"""A person's typing, one key at a time, on any engine: the line, what is suggested, keys counted. Knows no terminal."""

from __future__ import annotations

from dataclasses import dataclass

from tinylm.engine import Engine

ENTER, TAB, BACKSPACE, CLEAR, LITERAL = "\r", "\t", "\b", "\x15", "\x16"
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})


def accept_text(line: str, word: str) -> str:
    """The line after a suggestion was taken: the end of the line that begins the word becomes the word and a space.

    An engine keeps the letters as typed, so that end is the longest one that the word starts with, case apart.
    """
    folded, typed = _fold(word), min(len(line), len(word))
    while typed and not folded.startswith(_fold(line[-typed:])):
        typed -= 1
    return line[: len(line) - typed] + word + " "


def _fold(text: str) -> str:
    return text.translate(_APOSTROPHES).lower()


@dataclass(frozen=True)
class Savings:
    """Characters on the lines so far, and the keys pressed for them (Enter apart)."""

    characters: int
    keys: int

    @property
    def kss(self) -> float:
        """Keystrokes saved, in percent of the characters; below 0 when more were pressed."""
        return 100.0 * (self.characters - self.keys) / self.characters if self.characters else 0.0


class TypingSession:
    """Keys in, a line and suggestions out. `shown`: how many; `line_bytes`: the longest line of the engine."""

    def __init__(self, engine: Engine, shown: int, line_bytes: int) -> None:
        self.line = ""
        self._engine, self._shown, self._line_bytes = engine, shown, line_bytes
        self._suggestions: list[str] | None = None  # None: the line has changed since they were made
        self._ended_characters = self._keys = 0
        self._literal = False
        engine.reset()

    def suggestions(self) -> list[str]:
        """What is suggested for the line as it is now; asks the engine only when the line has changed."""
        if self._suggestions is None:
            self._suggestions = self._engine.suggest(self._shown)
        return self._suggestions

    def savings(self) -> Savings:
        """Counts over all lines, the current one included."""
        return Savings(self._ended_characters + len(self.line), self._keys)

    def press(self, key: str) -> bool:
        """One key: a character, or one of this module's names. Returns False when it cannot be obeyed (a bell)."""
        literal, self._literal = self._literal, False
        if key == LITERAL:
            self._literal = True
            return True
        if key == ENTER:
            return self._end_line()
        if key == CLEAR:
            return self._clear()
        if key == BACKSPACE:
            return self._erase()
        if key == TAB:
            return bool(self.suggestions()) and self._accept(0)
        if key.isdigit() and key.isascii() and not literal and 0 < int(key) <= len(self.suggestions()):
            return self._accept(int(key) - 1)
        return key.isprintable() and self._feed(key)

    def _feed(self, text: str) -> bool:
        if not self._fits(self.line + text):
            return False
        self._engine.feed(text)
        return self._change(self.line + text)

    def _accept(self, rank: int) -> bool:
        after = accept_text(self.line, self.suggestions()[rank])
        if not self._fits(after):
            return False
        self._engine.accept(rank)
        return self._change(after)

    def _erase(self) -> bool:
        if not self.line:
            return False
        self._engine.backspace()
        return self._change(self.line[:-1])

    def _clear(self) -> bool:
        self._engine.reset()
        return self._change("") if self.line else False

    def _end_line(self) -> bool:
        """The space that a last suggestion brought is no character that the person wanted."""
        self._ended_characters += len(self.line.rstrip(" "))
        self.line, self._suggestions = "", None
        self._engine.feed("\n")  # an engine with a memory learns the line
        return True

    def _change(self, line: str) -> bool:
        self.line, self._suggestions = line, None
        self._keys += 1
        return True

    def _fits(self, line: str) -> bool:
        return len(line.encode()) <= self._line_bytes
