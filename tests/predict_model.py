"""The typing engine once more, in the plainest Python: nothing is kept between calls, nothing is searched cleverly.

Its network is the stand-in of tests/c/predict/probe.c; its sizes are those of tests/c/predict/tlm_sizes.h.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import numpy as np
from memory_model import MemoryModel, Taught

from tinylm.capitals import write_word
from tinylm.ngram import ReadNgram, word_costs

LINE_BYTES = 60
WORD_LETTERS = 24
WORD_BYTES = 49
BEAM = 3
SPELLING_STEPS = 64
NO_FOLLOWER = 1 << 19
NGRAM_UNKNOWN = 1000  # what an unknown word costs beside the back-off, thousandths of a nat
LETTER = 1700  # what a typed letter says for a word of the memory in the character kind, thousandths of a nat
PASSED_WORDS, PASSED_NATS = 16, 2
EMPTY, RANGE, FULL = -2, -1, -3


def mix(x: int) -> int:
    x &= 0xFFFFFFFF
    x = (x ^ x >> 16) * 0x45D9F3B & 0xFFFFFFFF
    x = (x ^ x >> 16) * 0x45D9F3B & 0xFFFFFFFF
    return x ^ x >> 16


def step(state: int, row: int) -> int:
    return mix(state * 31 + row + 1)


def network_hash(rows: int, spread: int, steps: int = 8) -> int:
    """FNV-1a over state and logits of steps 0, 1, 2, ... modulo rows."""
    state, value = 0, 2166136261
    for i in range(steps):
        state = step(state, i % rows)
        logits = bytes(score(state, row, spread) % 128 for row in range(rows))
        for byte in state.to_bytes(4, "little") + logits:
            value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def score(state: int, row: int, spread: int) -> int:
    return mix((~state & 0xFFFFFFFF) + 7919 * row) % spread


def truncate(value: int, by: int) -> int:
    """Division as C does it."""
    return abs(value) // by * (1 if value >= 0 else -1)


HALF_POWERS = [round(2**15 * 2 ** (-i / 16)) for i in range(16)]


def log_sum_exp(units: int, scores: list[int]) -> int:
    """The rule of docs/SPEC-mixture.md."""
    shift = max(0, units.bit_length() - 12)
    factor = 1512775 // (units >> shift)
    best, total = scores[0], 1 << 15
    for value in scores[1:]:
        distance = abs(best - value)
        whole, part = divmod((distance >> shift) * factor >> 16, 16)
        near = distance < 12 * units
        if value > best:
            best, total = value, ((total * HALF_POWERS[part] >> 15 + whole) if near else 0) + (1 << 15)
        else:
            total += (HALF_POWERS[part] >> whole) if near else 0
    whole = total.bit_length() - 16
    x = (total >> whole) - (1 << 15)
    x += (x * ((1 << 15) - x) >> 15) * 11362 >> 15
    return best + truncate(units * (((whole << 15) + x) * 693 >> 15), 1000)


@dataclass
class EngineModel:
    kind: str
    alphabet: str
    words: tuple[str, ...]
    levels: tuple[int, ...]
    top: int
    level: int
    units: int
    spread: int
    line: str = ""
    ngram: ReadNgram | None = None
    memory: MemoryModel | None = None
    capitals: tuple[int, ...] = ()
    share_units: int = 0

    def __post_init__(self) -> None:
        self.suggestions: list[str] = []
        self.passed: list[
            tuple[str, int]
        ] = []  # words that were shown for the word being typed, and the line's bytes then
        self.rows = {}
        for word, level in zip(self.words, self.levels):
            if level == 0:
                self.rows[word] = 2 + len(self.rows)

    def start(self) -> int:
        """The network's state before a line."""
        return 0

    def step(self, state: int, row: int) -> int:
        """The network's next state."""
        return step(state, row)

    def score(self, state: int, row: int) -> int:
        """A row's score after a state."""
        return score(state, row, self.spread)

    def letter(self, character: str) -> str:
        """The letter that a character is, or ''."""
        folded = "'" if character in "\u2018\u2019\u02bc" else character.lower()
        return folded if folded in self.alphabet else ""

    def forget_shown(self, line_bytes: int) -> None:
        """What was first shown when the line had so many bytes or more is not known any more."""
        while self.passed and self.passed[-1][1] >= line_bytes:
            self.passed.pop()

    def begin(self, typed: str) -> None:
        line_bytes = len(self.line.encode())
        self.forget_shown(line_bytes)
        if self.passed and self.passed[0][1] < line_bytes - len(typed.encode()):
            self.passed = []  # of another word

    def loss(self, word: str) -> int:
        """What a word loses that was passed over, in nats."""
        return PASSED_NATS * (word in [shown for shown, _ in self.passed])

    def show(self, words: list[str]) -> None:
        for word in words:
            if len(self.passed) < PASSED_WORDS and not self.loss(word):
                self.passed.append((word, len(self.line.encode())))

    def feed(self, text: str) -> None:
        for character in text:
            if character in "\r\n":
                if self.memory:
                    self.memory.learn([w for w in self.folded().split(" ") if w])
                self.line, self.suggestions, self.passed = "", [], []
            elif character in "\b\x7f":
                self.backspace()
            elif len((self.line + character).encode()) <= LINE_BYTES:
                self.line, self.suggestions = self.line + character, []

    def backspace(self) -> int:
        empty = not self.line
        self.line, self.suggestions = self.line[:-1], []
        self.forget_shown(len(self.line.encode()) + 1)
        return EMPTY if empty else 0

    def accept(self, rank: int) -> int:
        if not self.suggestions:
            return EMPTY
        if rank >= len(self.suggestions):
            return RANGE
        line = self.line[: len(self.line) - len(self.typed())] + self.suggestions[rank] + " "
        if len(line.encode()) > LINE_BYTES:
            return FULL
        self.forget_shown(len(os.path.commonprefix([self.line.encode(), line.encode()])) + 1)
        self.line, self.suggestions = line, []
        return len(line.encode())

    def typed(self) -> str:
        """The letters at the line's end, as typed."""
        start = len(self.line)
        while start and self.letter(self.line[start - 1]):
            start -= 1
        return self.line[start:]

    def folded(self) -> str:
        """The line with spaces for everything but letters."""
        return "".join(self.letter(c) or " " for c in self.line)

    def learn(self, size: int) -> MemoryModel:
        """Begin to learn."""
        self.memory = MemoryModel(size, 7, self.alphabet, self.words, self.rows)
        return self.memory

    def taught(self, prefix: str) -> list[tuple[int, Taught]]:
        """The words of the memory with their places in its table."""
        if not self.memory:
            return []
        finished = [w for w in self.folded()[: len(self.line) - len(prefix)].split(" ") if w]
        before = self.memory.code(finished[-1]) if finished else 0
        sets = self.memory.recall(prefix, before)
        return [(4 * s + way, word) for s, words in enumerate(sets) for way, word in enumerate(words)]

    def symbols(self) -> list[int]:
        """What the network has stepped through, the line's start included."""
        words = self.folded().split(" ")
        finished, last = [w for w in words[:-1] if w], words[-1]
        if self.kind == "word":
            return [0] + [self.rows.get(word, 1) for word in finished]
        if self.kind == "mixture":
            return [0] + [self.number(word) for word in finished]
        if self.kind == "ngram":
            return [0] + [2 + self.words.index(word) if word in self.words else 1 for word in finished]
        text = "".join(word + " " for word in finished) + last
        return [0] + [1 if c == " " else 2 + self.alphabet.index(c) for c in text]

    def suggest(self, count: int) -> list[str]:
        typed = self.typed()
        prefix = "".join(map(self.letter, typed))
        self.begin(typed)
        state, symbols = self.start(), self.symbols()
        for symbol in symbols:
            state = self.step(state, symbol if self.kind != "mixture" or symbol < 2 + len(self.rows) else 1)
        if len(prefix) > WORD_LETTERS:
            found = []
        elif self.kind == "ngram":
            found = self.cheapest_words(symbols, prefix, count)
        elif self.kind == "word":
            found = self.best_words(state, prefix, count)
        elif self.kind == "mixture":
            found = self.best_words(state, prefix, count, self.shares(state, symbols))
        else:
            found = self.best_spellings(state, prefix, count)
        self.show(found)
        self.suggestions = [self.keep(typed, word) for word in found]
        return self.suggestions

    def keep(self, typed: str, word: str) -> str:
        high = dict(zip(self.words, self.capitals)).get(word, 0)
        written = write_word(word, high)
        rest = written[len(typed) :]
        fits = len(typed.encode()) + 2 * len(rest) < WORD_BYTES
        return typed + rest if typed and typed[0] != word[0] and fits else written

    def number(self, word: str) -> int:
        """Of a mixture's word in its n-gram."""
        plain = 2 + len(self.rows) + self.words.index(word) if word in self.words else 1
        return self.rows.get(word, plain)

    def shares(self, state: int, numbers: list[int]) -> dict[str, int]:
        """Score of each follower by the n-gram alone."""
        scores = [self.score(state, row) for row in range(2 + len(self.rows))]
        free = log_sum_exp(self.units, scores) + self.share_units
        followers = self.ngram.followers(*[0, *numbers][-2:])
        return {
            word: free - self.units * followers[self.number(word)] // 16
            for word in self.words
            if self.number(word) in followers
        }

    def best_words(self, state: int, prefix: str, count: int, shares: dict[str, int] | None = None) -> list[str]:
        """`shares`: of a mixture."""
        shares = shares or {}
        ranked = []
        for index, (word, level) in enumerate(zip(self.words, self.levels)):
            if not word.startswith(prefix) or word == prefix or (level and not prefix):
                continue
            if level == 0:
                value = self.score(state, self.rows[word])
            else:
                millinats = self.top - (level - 1) * self.level
                value = self.score(state, 1) + truncate(self.units * millinats, 1000)
            ranked.append((self.units * self.loss(word) - value, index, word))
        found = {word: (value, 0, index) for value, index, word in ranked}
        if len(ranked) >= count:
            least = -sorted(ranked)[count - 1][0] - 4 * self.units
            shares = {word: share for word, share in shares.items() if share >= least}
        for word, share in shares.items():
            if word.startswith(prefix) and word != prefix:
                own, loss = self.raised(state, word, shares), self.units * self.loss(word)
                if word in self.rows:
                    found[word] = (loss - own, 0, self.words.index(word))
                elif word not in found or share - loss > -found[word][0]:
                    found[word] = (loss - share, 1, self.words.index(word))
        unknown = self.score(state, 1)
        for place, taught in self.taught(prefix):
            alone = unknown + truncate(self.units * taught.alone, 1000)
            word = self.word_of(taught)
            loss = self.units * self.loss(word)
            if taught.letters:
                found[word] = (loss - alone, 2, place)
                continue
            if word in self.rows or word in shares:
                alone = max(alone, self.raised(state, word, shares) + truncate(self.units * taught.bonus, 1000))
            if word in self.rows:
                found[word] = (loss - alone, 0, self.words.index(word))
            elif word not in found or alone - loss > -found[word][0]:
                found[word] = (loss - alone, 1, self.words.index(word))
        return sorted(found, key=found.__getitem__)[:count]

    def raised(self, state: int, word: str, shares: dict[str, int]) -> int:
        """The score of a word with a row, or a follower, which its uses raise."""
        own = [self.score(state, self.rows[word])] if word in self.rows else []
        return log_sum_exp(self.units, own + ([shares[word]] if word in shares else []))

    def word_of(self, taught: Taught) -> str:
        """A word of the memory, which numbers the words without a row after the rows."""
        if taught.letters:
            return "".join(self.alphabet[letter - 1] for letter in taught.letters)
        plain = taught.code - 2 - len(self.rows)
        return self.words[plain] if plain >= 0 else next(w for w, row in self.rows.items() if row == taught.code)

    def cheapest_words(self, rows: list[int], prefix: str, count: int) -> list[str]:
        """`top` and `level` are model.json's: the log of the commonest word's share, and the step down, millinats."""
        before, last = [0, *rows][-2:]
        costs = self.ngram.costs(before, last, word_costs(self.levels, self.top, self.level))[2:]
        found = {
            word: (cost + 16 * self.loss(word), index)
            for index, (cost, word) in enumerate(zip(costs.tolist(), self.words))
            if word.startswith(prefix) and word != prefix
        }
        followers = self.ngram.costs(before, last, np.full(len(self.words), NO_FOLLOWER))[2:].tolist()
        contexts = (self.ngram.pairs.get(last), self.ngram.triples.get((before, last)))
        backoff = sum(context.backoff for context in contexts if context)
        for place, taught in self.taught(prefix):
            loss = 16 * self.loss(self.word_of(taught) if taught.letters else self.words[taught.code - 2])
            alone = backoff - truncate(16 * (taught.alone - NGRAM_UNKNOWN), 1000) + loss
            if taught.letters:
                found[self.word_of(taught)] = (alone, 1 << 16, place)
                continue
            index = taught.code - 2
            raised = followers[index] - truncate(16 * taught.bonus, 1000) + loss
            found[self.words[index]] = min(found[self.words[index]], (raised, index), (alone, index))
        return sorted(found, key=found.__getitem__)[:count]

    def costs(self, state: int) -> list[int]:
        """-log2 P of every symbol in 256ths of a bit, rounded as the device does."""
        scores = [self.score(state, row) for row in range(2 + len(self.alphabet))]
        costs = []
        for value in scores:
            nats, rest = divmod(max(scores) - value, self.units)
            costs.append(40 * 369 if nats >= 40 else nats * 369 + rest * 369 // self.units)
        halves = [round(2**15 * 2 ** (-i / 16)) for i in range(16)]
        total = sum(halves[cost >> 4 & 15] >> (cost >> 8) for cost in costs if cost >> 8 <= 15)
        exact = math.log2(total / 2**15)
        logarithm = self.coarse_log(total, halves)
        assert -2 <= 256 * exact - logarithm <= 18, "the integer logarithm is off by more than a 16th of a bit"
        return [cost + logarithm for cost in costs]

    @staticmethod
    def coarse_log(total: int, halves: list[int]) -> int:
        whole = total.bit_length() - 16
        mantissa = total >> whole
        return whole * 256 + 16 * sum(mantissa >= 2 * halves[16 - i] for i in range(1, 16))

    def best_spellings(self, state: int, prefix: str, count: int) -> list[str]:
        found: list[tuple[int, str]] = []
        beam, steps = [(0, prefix, state)], 0
        taught = {self.word_of(word): word for _, word in self.taught(prefix)}
        while beam:
            branches = []
            for cost, word, at in beam:
                if word != prefix:
                    if steps == SPELLING_STEPS:
                        break
                    at, steps = self.step(at, 2 + self.alphabet.index(word[-1])), steps + 1
                costs = self.costs(at)
                if word != prefix:
                    found = self.keep_cheapest(
                        found, self.taught_cost(cost + min(costs[:2]), word, prefix, taught), word, count
                    )
                if len(word) < WORD_LETTERS:
                    branches += [(cost + c, word + letter, at) for c, letter in zip(costs[2:], self.alphabet)]
            beam = sorted(branches, key=lambda e: e[0])[:BEAM] if steps < SPELLING_STEPS else []
            if len(found) == count:
                beam = [branch for branch in beam if branch[0] < found[-1][0]]
        for word in list(taught):
            found = self.keep_cheapest(found, self.taught_cost(1 << 30, word, prefix, taught), word, count)
        return [w for _, w in found]

    @staticmethod
    def taught_cost(cost: int, word: str, prefix: str, taught: dict[str, Taught]) -> int:
        """What a spelled word costs with the memory, which then has it no more."""
        memory = taught.pop(word, None)
        if memory is None:
            return cost
        alone = memory.alone + LETTER * len(prefix)
        return min(cost - truncate(memory.bonus * 369, 1000), -truncate(alone * 369, 1000))

    def keep_cheapest(self, found: list[tuple[int, str]], cost: int, word: str, count: int) -> list[tuple[int, str]]:
        """With one more, the first found first where costs are equal."""
        return sorted([*found, (cost + 369 * self.loss(word), word)], key=lambda e: e[0])[:count]
