"""Which lines of the texts are learned."""

from __future__ import annotations

import json
from pathlib import Path

from cli_rig import run_cli

from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.preparation import Source, WeightedText

MANY = "".join(f"We go to the {'abcdefgh'[i % 8]}room {i}.\n" for i in range(400))
LINES = "Tom is late.\nTomorrow is fine.\nIs this Tom\u2019s hat?\nWe saw tom there.\nMary's here.\nBottom line.\n"


def test_lines_with_a_word_that_is_left_out_or_what_is_its_own_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(LINES, "utf-8")
    texts = (WeightedText(tmp_path / "text.txt"),)
    read = [" ".join(words) for _, words in Source(texts, ENGLISH_ALPHABET, left_out=frozenset({"tom"})).lines()]
    assert read == ["tomorrow is fine", "mary's here", "bottom line"]
    assert len(list(Source(texts, ENGLISH_ALPHABET, left_out=frozenset({"tom", "mary"})).lines())) == 2
    assert len(list(Source(texts, ENGLISH_ALPHABET).lines())) == 6


def test_a_text_of_which_no_line_is_left_is_refused(tmp_path: Path, monkeypatch) -> None:  # noqa: ANN001
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("We go home.\nAre you there?\n")
    shown = run_cli("train", "text.txt", "--kind", "ngram", "--leave-out", "We", "--leave-out", "Are")
    assert shown.status == 1 and "No line is left beside those with are or we." in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


def test_a_word_to_leave_out_that_no_line_has_is_told(tmp_path: Path, monkeypatch) -> None:  # noqa: ANN001
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(LINES * 40 + MANY, "utf-8")
    made = run_cli(
        "train",
        "text.txt",
        "--kind",
        "ngram",
        "--budget",
        "8K",
        "--leave-out",
        "Tom",
        "--leave-out",
        "Thom",
        "-o",
        "run",
    )
    assert made.status == 0, made.err
    assert "no line of the text has Thom" in made.out + made.err
    assert "has Tom\n" not in made.out + made.err


def test_a_model_says_which_lines_it_has_not_learned(tmp_path: Path, monkeypatch) -> None:  # noqa: ANN001
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(LINES * 40 + MANY, "utf-8")
    made = run_cli("train", "text.txt", "--kind", "ngram", "--budget", "8K", "--leave-out", "Tom", "-o", "run")
    assert made.status == 0, made.err
    assert json.loads(Path("run/run.json").read_text())["left_out"] == ["Tom"]
    assert "| lines left out | those with Tom |" in Path("run/README.md").read_text()
    words = [row.split("\t")[0] for row in Path("run/vocabulary.tsv").read_text().splitlines()]
    assert "tom" not in words and "tomorrow" in words
    other = run_cli("train", "text.txt", "--kind", "ngram", "--budget", "8K", "-o", "run")
    assert other.status == 1 and "left_out" in other.err
