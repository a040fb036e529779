"""A name that one text has too often is told, with what to do about it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from cli_rig import run_cli

from tinylm.capitals import FIRST
from tinylm.names import frequent_names

PLAIN = Counter({"the": 9_000, "we": 5_000, "tom": 1, "i": 2_000, "i'm": 900})
FULL = PLAIN + Counter({"tom": 600})
CAPITALS = {"tom": FIRST, "i": FIRST, "i'm": FIRST}


def test_a_name_of_one_text_is_too_frequent_and_i_is_none() -> None:
    (name,) = frequent_names([PLAIN, FULL], CAPITALS)
    assert (name.word, name.text) == ("Tom", 1) and name.share == pytest.approx(601 / FULL.total())
    assert not frequent_names([PLAIN, FULL], {})


def test_a_name_that_all_texts_have_and_small_texts_say_nothing() -> None:
    assert not frequent_names([FULL, FULL], CAPITALS)
    assert not frequent_names([FULL], CAPITALS) and not frequent_names([FULL, Counter(tom=50)], CAPITALS)


def test_training_tells_the_name_and_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [
        f"go to the {a}{b}room and then see what is there {c}"
        for a in "abcdefgh"
        for b in "aeiou"
        for c in "klmnopqrstuvwxyz"
    ]
    Path("own.txt").write_text("".join(f"We {line} and there {d}.\n" for line in lines for d in "xyz"))
    Path("large.txt").write_text("".join(f"Then Tom will {line} and there {d}.\n" for line in lines for d in "xyz"))
    made = run_cli("train", "own.txt:1", "large.txt:1", "--kind", "ngram", "--budget", "8K")
    assert made.status == 0, made.err
    assert "Tom is" in made.err + made.out and "--leave-out Tom" in made.err + made.out
