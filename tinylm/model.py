"""The model folder: loads, checks and writes it. Knows its files; knows nothing of training or of chips."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tinylm.capitals import read_capitals, write_word
from tinylm.errors import TinylmError

NETWORK_FILE, NGRAM_FILE = "model.tflite", "model.ngram"
KINDS = {  # kind -> what predicts
    "word": (NETWORK_FILE,),
    "character": (NETWORK_FILE,),
    "ngram": (NGRAM_FILE,),
    "mixture": (NETWORK_FILE, NGRAM_FILE),
}
WITH_NGRAM = ("ngram", "mixture")
WITH_ROWS = ("word", "mixture")  # kinds whose network has a row for each of the commonest words
BOUNDARY_ROW = 0
UNKNOWN_ROW = 1
FIRST_WORD_ROW = 2
MAX_WORD_LETTERS = 24
MAX_WORDS = 65_535
LONGEST_NAME = 31  # a device tells its model's name in so many bytes
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
NAME_RULE = f"1 to {LONGEST_NAME} letters, digits, dots, hyphens and underscores are allowed, a letter or digit first"
MAX_LETTERS = 64
MAX_LEVEL = 31
LAST_LETTER = "\u07ff"  # two bytes of UTF-8


@dataclass(frozen=True)
class ModelInfo:
    """What `model.json` holds. Millinats are thousandths of a natural logarithm unit.

    `share_millinats`: of a mixture, the logarithm of the n-gram's weight beside the network's.
    """

    name: str
    kind: str
    language: str
    licence: str
    alphabet: str
    level_millinats: int = 500
    top_millinats: int = 0
    attribution: tuple[str, ...] = field(default=())
    share_millinats: int = 0


@dataclass(frozen=True)
class Model:
    """A trained model: words (sorted by the alphabet), levels (0..31, one a word) and what predicts.

    KINDS says whether that is the bytes of `model.tflite`, of `model.ngram` or both. `capitals` (capitals.py's, one a word) is
    empty where every word is lower case, as in models that were made before there were capitals.
    """

    info: ModelInfo
    words: tuple[str, ...]
    levels: tuple[int, ...]
    tflite: bytes = b""
    ngram: bytes = b""
    capitals: tuple[int, ...] = ()

    @property
    def hash(self) -> int:
        """32 bits that name the model: the first 4 bytes (little-endian) of SHA-256 over network, n-gram and vocabulary."""
        digest = hashlib.sha256(self.tflite + self.ngram + render_vocabulary(self)).digest()
        return int.from_bytes(digest[:4], "little")

    @property
    def row_words(self) -> tuple[str, ...]:
        """The words that have a network row, in row order; their first row is FIRST_WORD_ROW."""
        return tuple(w for w, level in zip(self.words, self.levels) if level == 0)

    @property
    def ngram_rows(self) -> int:
        """How many rows its n-gram has."""
        return FIRST_WORD_ROW + len(self.words) + self.levels.count(0)

    @functools.cached_property
    def numbers(self) -> dict[str, int]:
        """Of a mixture's words in its n-gram: a word's row, or where it has none 2 + rows + its index (tlm_lexicon_code)."""
        rows = {word: FIRST_WORD_ROW + i for i, word in enumerate(self.row_words)}
        return {word: rows.get(word, FIRST_WORD_ROW + len(rows) + i) for i, word in enumerate(self.words)}


def nats_of_level(info: ModelInfo, level: int) -> float:
    """log of the share that a word of that level has of the unknown row's chance; 0 for a word with a row."""
    return (info.top_millinats - (level - 1) * info.level_millinats) / 1000 if level else 0.0


def render_vocabulary(model: Model) -> bytes:
    """`vocabulary.tsv` as bytes: word, level, and how it is written where that is not in lower case."""
    capitals = model.capitals or (0,) * len(model.words)
    written = (f"\t{write_word(w, high)}" if high else "" for w, high in zip(model.words, capitals))
    return "".join(f"{w}\t{level}{as_}\n" for w, level, as_ in zip(model.words, model.levels, written)).encode()


def load_model(folder: Path) -> Model:
    """Read a model folder.

    Raises TinylmError when a file is missing or does not say what it must.
    """
    _require_files(folder, "model.json", "vocabulary.tsv")
    try:
        raw = dict(json.loads((folder / "model.json").read_text("utf-8")))
        raw["attribution"] = tuple(raw.get("attribution", ()))
        info = ModelInfo(**raw)
        _check_types(info)
        rows = [line.split("\t") for line in (folder / "vocabulary.tsv").read_text("utf-8").splitlines()]
        words, levels = tuple(r[0] for r in rows), tuple(int(r[1]) for r in rows)
        capitals = tuple(read_capitals(r[0], r[2]) if len(r) > 2 else 0 for r in rows)
    except (ValueError, TypeError, IndexError) as error:
        raise TinylmError(f"The model in '{folder}' is damaged: {error}.", "Train it again.") from error
    _check(folder, info, words, levels)
    _require_files(folder, *KINDS[info.kind])
    there = {name: (folder / name).read_bytes() for name in KINDS[info.kind]}
    capitals = capitals if any(capitals) else ()
    return Model(info, words, levels, there.get(NETWORK_FILE, b""), there.get(NGRAM_FILE, b""), capitals)


def _require_files(folder: Path, *names: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise TinylmError(
                f"'{folder}' is no model folder: it has no {name}.",
                "Train one with `tinylm train TEXT`, or see `tinylm models`.",
            )


def _check_types(info: ModelInfo) -> None:
    for name, value in asdict(info).items():
        wanted = int if name.endswith("millinats") else tuple if name == "attribution" else str
        if type(value) is not wanted:
            raise TypeError(f"{name} is {value!r}")


def _check(folder: Path, info: ModelInfo, words: tuple[str, ...], levels: tuple[int, ...]) -> None:
    def refuse(what: str) -> None:
        raise TinylmError(f"The model in '{folder}' is damaged: {what}.", "Train it again.")

    if not NAME.fullmatch(info.name):
        refuse(f"its name is '{info.name}', {NAME_RULE}")
    if info.kind not in KINDS:
        refuse(f"kind is '{info.kind}', allowed are {', '.join(KINDS)}")
    if list(info.alphabet) != sorted(set(info.alphabet)) or not 1 <= len(info.alphabet) <= MAX_LETTERS:
        refuse(f"the alphabet is not 1 to {MAX_LETTERS} letters, sorted")
    if info.alphabet[-1] > LAST_LETTER:
        refuse(f"the letter '{info.alphabet[-1]}' is beyond U+07FF")
    if not 0 <= info.level_millinats <= 2000 or not -30_000 <= info.top_millinats <= 0:
        refuse(
            f"levels are {info.level_millinats} millinats apart from {info.top_millinats}; 0..2000 from -30000..0 are allowed"
        )
    if not -5000 <= info.share_millinats <= 5000:
        refuse(f"share_millinats is {info.share_millinats}, -5000..5000 are allowed")
    letters = set(info.alphabet)
    if len(words) > MAX_WORDS:
        refuse(f"{len(words)} words, at most {MAX_WORDS} are allowed")
    if any(a >= b for a, b in zip(words, words[1:])):
        refuse("vocabulary.tsv is not sorted")
    for word, level in zip(words, levels):
        if not 1 <= len(word) <= MAX_WORD_LETTERS or not letters.issuperset(word) or not 0 <= level <= MAX_LEVEL:
            refuse(f"vocabulary.tsv has the line '{word}\\t{level}'")
    if info.kind == "ngram" and 0 in levels:
        refuse(f"the n-gram's word '{words[levels.index(0)]}' has level 0")


def write_model(folder: Path, model: Model) -> None:
    """Write `model.json`, `vocabulary.tsv` and what predicts (each whole or not at all)."""
    folder.mkdir(parents=True, exist_ok=True)
    said = asdict(model.info)
    if model.info.kind != "mixture":
        del said["share_millinats"]
    write_whole(folder / "model.json", (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode())
    write_whole(folder / "vocabulary.tsv", render_vocabulary(model))
    for name in KINDS[model.info.kind]:
        write_whole(folder / name, model.tflite if name == NETWORK_FILE else model.ngram)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a crash or a full disk leaves the old one or the new one, never half of it."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TinylmError(
            f"'{path}' could not be written: {error.strerror}.", "Free some room, then run it again."
        ) from error
