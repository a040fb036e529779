"""The user's memory once more, in plain Python: docs/SPEC-memory.md without a thought for speed."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADER_BYTES, DROP_BYTES, RECENT_BYTES = 10, 32, 256
LINE_START, TOO_LONG = 0, 1  # codes
UNKNOWN = 1 << 31
ALONE = 5500
SETS, WAYS = 4, 4
LN = (0, 693, 1099, 1386, 1609, 1792, 1946, 2079, 2197, 2303, 2398, 2485, 2565, 2639, 2708, 2773, 2833, 2890, 2944, 2996,
      3045, 3091, 3135, 3178, 3219, 3258, 3296, 3332, 3367, 3401, 3434)  # fmt: skip


def fnv(content: bytes) -> int:
    value = 2166136261
    for byte in content:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def ln(x: int) -> int:
    """Thousandths of ln x, to a 16th of x."""
    halved = max(0, x.bit_length() - 5)
    return LN[(x >> halved) - 1] + 693 * halved


@dataclass
class Taught:
    """A word of the memory that may come next."""

    code: int
    letters: bytes  # of a word that the lexicon does not have
    uses: int = 0
    pairs: int = 0

    @property
    def weight(self) -> int:
        return self.uses + 100 * self.pairs

    @property
    def bonus(self) -> int:
        return ln(10 + self.weight) - ln(10)

    @property
    def alone(self) -> int:
        return ln(self.weight) - ALONE


@dataclass
class MemoryModel:
    """`rows`: words with a network row; `words`: all. Letters are codes 1.. of the alphabet."""

    size: int
    model_hash: int
    alphabet: str
    words: tuple[str, ...]
    rows: dict[str, int]
    lines: bytes = field(default=b"")

    def spell(self, word: str) -> bytes:
        return bytes(1 + self.alphabet.index(letter) for letter in word)

    def code(self, word: str) -> int:
        if len(word) > 24:
            return TOO_LONG
        if word in self.rows:
            return self.rows[word]
        if word in self.words:
            return 2 + len(self.rows) + self.words.index(word)
        return UNKNOWN | fnv(self.spell(word)[::-1])

    def learn(self, line: list[str]) -> None:
        if line:
            self.append(b"\0")
        for word in line:
            code, mark = self.code(word), len(self.alphabet) + 1
            if code >= UNKNOWN:
                self.append(bytes([mark]) + self.spell(word))
            elif mark + 1 + (code >> 8) < 254:
                self.append(bytes([code & 255, mark + 1 + (code >> 8)]))
            else:
                self.append(bytes([code & 255, code >> 8 & 255, 254 + (code >> 16)]))

    def append(self, token: bytes) -> None:
        if len(self.lines) + len(token) > self.size - HEADER_BYTES:
            self.lines = self.lines[DROP_BYTES:]
        self.lines += token

    def content(self) -> bytes:
        """All bytes."""
        rest = self.model_hash.to_bytes(4, "little") + len(self.lines).to_bytes(2, "little") + self.lines
        return fnv(rest).to_bytes(4, "little") + rest

    def tokens(self) -> list[tuple[int, bytes, int]]:
        """(code, letters of an unknown word, how many bytes before the end it begins), the newest first."""
        left, mark, found = self.lines, len(self.alphabet) + 1, []
        while left:
            last = left[-1]
            if 0 < last <= mark:
                word = left[len(left.rstrip(bytes(range(1, mark)))) :]
                before = left[: len(left) - len(word)]
                if not word or before[-1:] != bytes([mark]) or len(word) > 24:
                    break
                left = before[:-1]
                found.append((UNKNOWN | fnv(word[::-1]), word, len(self.lines) - len(left)))
                continue
            size = 1 if last == 0 else 2 if last < 254 else 3
            if len(left) < size:
                break
            token, left = left[-size:], left[:-size]
            high = {1: 0, 2: (last - mark - 1) << 8, 3: (last - 254) << 16}[size]
            found.append((int.from_bytes(token[:-1], "little") + high, b"", len(self.lines) - len(left)))
        return found

    def recall(self, prefix: str, before: int) -> list[list[Taught]]:
        """The words that may follow, set by set. `before`: the code of the last finished word."""
        matching = {self.code(w): True for w in self.words if w.startswith(prefix) and w != prefix}
        typed = self.spell(prefix)
        sets: list[list[Taught]] = [[] for _ in range(SETS)]
        tokens = self.tokens()
        for i, (code, letters, distance) in enumerate(tokens):
            if letters:
                wanted = letters.startswith(typed) and letters != typed
            else:
                wanted = code in matching
            if wanted:
                pair = i + 1 < len(tokens) and tokens[i + 1][0] == before
                if prefix or pair:
                    self._count(sets[code % SETS], code, letters, 2 if distance <= RECENT_BYTES else 1, pair)
        return sets

    @staticmethod
    def _count(words: list[Taught], code: int, letters: bytes, uses: int, pair: bool) -> None:
        place = next((w for w in words if w.code == code), None)
        if place is None and len(words) < WAYS:
            place = Taught(code, letters)
            words.append(place)
        if place is None and pair:
            lone = [i for i, w in enumerate(words) if w.pairs == 0]
            if lone:
                place = words[lone[-1]] = Taught(code, letters)
        if place is not None:
            place.uses += uses
            place.pairs += pair
