"""Texts in: lines, words, and what is said of a text that is none."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylm.corpus import (  # fmt: skip
    ALPHABETS,
    ENGLISH_ALPHABET,
    MAX_LINE_BYTES,
    clean_lines,
    find_texts,
    held_out_lines,
    normalise,
    read_lines,
    unquote,
    word_finder,
)
from tinylm.errors import TinylmError


def text_file(folder: Path, content: bytes, name: str = "text.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_lines_come_without_their_ends_and_progress_adds_up_to_the_size(tmp_path: Path) -> None:
    path, told = text_file(tmp_path, "one\r\ntwo\n\nfoür".encode()), []
    assert list(read_lines(path, told.append)) == ["one", "two", "", "foür"]
    assert sum(told) == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"abc\ndef\0ghi", "byte 7 is zero"),
        (b"good line\nna\xefve\n", "not UTF-8: byte 12 is 0xef"),
        (b"cut \xe2\x82", "not UTF-8: byte 4 is 0xe2"),
        ("\ufeffa\n".encode("utf-16"), "is not text|not UTF-8: byte 0 is 0xff"),
        (b"x" * (MAX_LINE_BYTES + 10) + b"\xff", f"byte {MAX_LINE_BYTES + 10} is 0xff"),
    ],
)
def test_what_is_no_utf8_text_is_refused_with_file_and_byte(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(TinylmError, match=says) as refused:
        list(read_lines(text_file(tmp_path, content)))
    assert "text.txt" in refused.value.message and refused.value.hint


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("'How can that be?' she said.", "How can that be? she said."),
        ("It stars in '13 Reasons' and 'Goosebumps,' too", "It stars in '13 Reasons' and Goosebumps, too"),
        ("the boys' house, rockin' and rollin'", "the boys' house, rockin' and rollin'"),
        ("tell 'em I'm late", "tell 'em I'm late"),
    ],
)
def test_apostrophes_that_quote_go_and_those_of_words_stay(written: str, plain: str) -> None:
    assert unquote(written) == plain


def test_what_stands_between_spaces_is_a_word_of_a_command_line() -> None:
    shell = ALPHABETS["shell"]
    assert len(shell) == 64 and list(shell) == sorted(shell)
    assert normalise('git commit -m "Fix typo" && ls ~/x', shell) == [*'git commit -m "fix typo" && ls ~/x'.split()]


@given(st.binary(max_size=60))
def test_any_bytes_are_lines_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = text_file(tmp_path_factory.getbasetemp(), content, "any.txt")
    try:
        lines = list(read_lines(path))
    except TinylmError:
        return
    assert "\n".join(lines).replace("\r", "") == content.decode().removesuffix("\n").replace("\r", "")


@pytest.mark.parametrize("letter", ["ä", "€", "\U0001f600"])
@pytest.mark.parametrize("before", range(4))
def test_a_long_line_is_cut_between_characters(tmp_path: Path, letter: str, before: int) -> None:
    line = "x" * before + letter * (3 * MAX_LINE_BYTES // len(letter.encode()))
    pieces = list(read_lines(text_file(tmp_path, line.encode() + b"\nend\n")))
    assert "".join(pieces[:-1]) == line and pieces[-1] == "end"
    assert len(pieces) > 3


def test_a_line_of_100_mb_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    with path.open("wb") as out:
        for _ in range(100):
            out.write(b"hello world " * (1_000_000 // 12))
    words_of, size = word_finder(ENGLISH_ALPHABET), 0
    tracemalloc.start()
    for line in read_lines(path):
        if size < 3_000_000:  # finding words is slow under tracemalloc
            words_of(line)
        size += len(line)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == path.stat().st_size
    assert most < 8_000_000


def test_missing_paths_and_folders_without_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(TinylmError, match="no file or folder '.*nowhere'"):
        find_texts([tmp_path / "nowhere"])
    with pytest.raises(TinylmError, match="holds no .txt file"):
        find_texts([tmp_path])


def test_a_folder_is_its_texts_in_order(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.txt", "a.txt", "c.md", "deep/d.txt"):
        (tmp_path / name).write_text("x")
    assert [p.name for p in find_texts([tmp_path])] == ["a.txt", "b.txt", "d.txt"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Don\u2019t PANIC, it's 42!", ["don't", "panic", "it's"]),
        ("well-known", ["well", "known"]),
        ("...", []),
        ("na\u00efve", ["na", "ve"]),
    ],
)
def test_a_line_is_normalised_to_the_letters_of_the_alphabet(line: str, words: list[str]) -> None:
    assert normalise(line) == words


def test_lines_seen_before_masked_or_held_out_are_not_worth_training_on(tmp_path: Path) -> None:
    hidden = held_out_lines(
        [text_file(tmp_path, b"this one is hidden\nok\n", "dev.txt")], word_finder(ENGLISH_ALPHABET)
    )
    text = b"a new line here\nA new line: here!\n[NAME] said so to me\nThis one is hidden.\nok\nok\n1 2 3\n"
    lines = [words for _, words in clean_lines(text_file(tmp_path, text), ENGLISH_ALPHABET, set(), hidden)]
    assert lines == [["a", "new", "line", "here"], ["ok"], ["ok"]]
