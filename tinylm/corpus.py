"""Text in: finds files, reads them line by line and normalises. Knows UTF-8 and letters; knows nothing of vocabularies.

Memory is bounded: a line longer than MAX_LINE_BYTES is read in pieces, and of the lines already seen only hashes are
kept, at most MAX_KNOWN_LINES of them (some 70 bytes each in a Python set: 300 MB).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tinylm.errors import TinylmError

MAX_LINE_BYTES = 65_536
MAX_KNOWN_LINES = 4_000_000
ENGLISH_ALPHABET = "'abcdefghijklmnopqrstuvwxyz"
ALPHABETS = {
    "en": ENGLISH_ALPHABET,
    "de": ENGLISH_ALPHABET + "ßäöü",
    "fr": ENGLISH_ALPHABET + "àâçèéêëîïôùûüœ",
    # Command lines: what stands between spaces is a word. 64 is the most; a capital is written like its small letter.
    "shell": "\"#$%&'()*+,-./0123456789:;<=>@[]^_abcdefghijklmnopqrstuvwxyz{|}~",
}
# Published texts mask names as [NAME]: such a line would teach a word that nobody types.
_MASK = re.compile(r"\[[A-Z]+\]")
# 'the end' is quoted and the boys' is not: a quotation begins after no letter and ends before none.
_QUOTED = re.compile(r"(?<![^\s(\"\-*])'(?=[^\W\d_])(.*?\S)'(?!\w)")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})


def find_texts(paths: Iterable[Path]) -> list[Path]:
    """The files named, and every *.txt under the folders named, sorted.

    Raises TinylmError when a path does not exist or a folder holds no .txt.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*.txt") if p.is_file())
            if not inside:
                raise TinylmError(f"The folder '{path}' holds no .txt file.", "Name a text file, or put one there.")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise TinylmError(f"There is no file or folder '{path}'.", "Check the name; `ls` shows what is here.")
    return found


def read_lines(path: Path, progress: Callable[[int], None] | None = None) -> Iterator[str]:
    """The lines of a UTF-8 file without their ends; `progress` is told the bytes of each.

    A line of more than MAX_LINE_BYTES is given in pieces. Raises TinylmError for binary or non-UTF-8 text, naming
    the file and the byte, and for an empty file.
    """
    offset = 0
    with path.open("rb") as stream:
        while piece := stream.readline(MAX_LINE_BYTES):
            piece += stream.read(_lacking(piece))
            if (zero := piece.find(b"\0")) >= 0:
                raise TinylmError(
                    f"'{path}' is not text: byte {offset + zero} is zero.", "Give a plain UTF-8 text file."
                )
            try:
                line = piece.decode("utf-8")
            except UnicodeDecodeError as error:
                raise TinylmError(
                    f"'{path}' is not UTF-8: byte {offset + error.start} is 0x{piece[error.start]:02x}.",
                    f"Convert it: iconv -f latin1 -t utf-8 '{path}' > converted.txt",
                ) from error
            offset += len(piece)
            if progress:
                progress(len(piece))
            yield line.rstrip("\r\n")
    if not offset:
        raise TinylmError(f"'{path}' is empty.", "Give a text of at least a few hundred lines.")


def _lacking(piece: bytes) -> int:
    """How many bytes the last character of `piece` lacks, 0 to 3."""
    for back in range(1, min(4, len(piece) + 1)):
        byte = piece[-back]
        if byte & 0xC0 != 0x80:
            size = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return max(0, size - back)
    return 0


def compose(line: str) -> str:
    """Letters and their accents may come apart (NFD), and apostrophes have several signs."""
    return line if line.isascii() else unicodedata.normalize("NFC", line).translate(_APOSTROPHES)


def unquote(line: str) -> str:
    """Without the apostrophes that quote: as letters they would make a word of 'the. `line` is composed."""
    return _QUOTED.sub(r"\1", line) if "'" in line else line


def has_quotations(alphabet: str) -> bool:
    """Whether an apostrophe may quote: beside letters alone. In a command line it is a character like any other."""
    return all(letter.isalpha() for letter in alphabet.replace("'", ""))


def word_finder(alphabet: str) -> Callable[[str], list[str]]:
    """A function from a line to its words: lower-cased, maximal runs of the alphabet's letters."""
    runs = re.compile("[" + re.escape(alphabet) + "]+")

    def words_of(line: str) -> list[str]:
        return runs.findall(compose(line).lower())

    return words_of


def normalise(line: str, alphabet: str = ENGLISH_ALPHABET) -> list[str]:
    """The words of one line: what the measure types and what the network learns from."""
    return word_finder(alphabet)(line)


def clean_lines(
    path: Path,
    alphabet: str,
    known: set[int],
    held_out: frozenset[int],
    progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """The lines worth training on, composed, and their words: no masks, no line seen before (`known` grows), none held out, no
    quotation marks."""
    words_of, quotes = word_finder(alphabet), has_quotations(alphabet)
    for line in map(compose, read_lines(path, progress)):
        if _MASK.search(line):
            continue
        words = words_of(line)
        if not words:
            continue
        key = hash_line(words)
        if len(words) > 2:  # Short ones ("yes please") are worth their frequency.
            if key in held_out or key in known:
                continue
            if len(known) < MAX_KNOWN_LINES:
                known.add(key)
        plain = unquote(line) if quotes else line
        yield plain, words if plain == line else words_of(plain)


def hash_line(words: list[str]) -> int:
    """A 64-bit key of a normalised line, the same in every process."""
    import hashlib

    return int.from_bytes(hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest(), "little")


def held_out_lines(paths: Iterable[Path], words_of: Callable[[str], list[str]]) -> frozenset[int]:
    """Keys of the lines of more than two words that training must not see."""
    return frozenset(
        hash_line(words) for path in find_texts(paths) for line in read_lines(path) if len(words := words_of(line)) > 2
    )
