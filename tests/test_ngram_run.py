"""`tinylm train --kind ngram`: text in, a model folder out that is evaluated, built and typed like any other."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cli_rig import run_cli
from models import TEXT

from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.language import build_language
from tinylm.model import load_model
from tinylm.preparation import Source, WeightedText, repeated_lines


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.needs("cc")
def test_an_n_gram_is_trained_evaluated_and_built_without_keras(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    shown = run_cli("train", str(TEXT), "--kind", "ngram", "--budget", "10K", "--name", "radio", "--json")
    assert shown.status == 0, shown.err
    metrics = json.loads(shown.out)
    model = load_model(here / "runs" / "radio")
    assert metrics["language_bytes"] == len(build_language(model).content) <= 10_240
    assert metrics["pairs"] > 500 and metrics["bits_an_entry"] < 18
    assert {p.name for p in (here / "runs" / "radio").iterdir()} == {
        "README.md", "metrics.json", "model.json", "model.ngram", "run.json", "vocabulary.tsv", "vocabulary_counts.tsv"
    }  # fmt: skip
    shown = run_cli("evaluate", str(TEXT), "--model", "runs/radio", "--lines", "40", "--json")
    assert shown.status == 0, shown.err
    figures = json.loads(shown.out)["texts"]["radio"]
    assert figures["kss"] > 40 and figures["bits_per_character"] is None
    shown = run_cli("evaluate", str(TEXT), "--model", "runs/radio", "--lines", "5")
    assert shown.status == 0, shown.err
    shown = run_cli("build", "--board", "host", "--model", "runs/radio", "--json")
    assert shown.status == 0, shown.err
    assert json.loads(shown.out)["kind"] == "ngram"


def test_training_again_gives_the_same_bytes(here: Path) -> None:
    command = ("train", str(TEXT), "--kind", "ngram", "--budget", "9K", "--name", "radio")
    assert run_cli(*command).status == 0
    first = (here / "runs" / "radio" / "model.ngram").read_bytes()
    assert run_cli(*command).status == 0
    assert (here / "runs" / "radio" / "model.ngram").read_bytes() == first


def test_a_text_of_one_word_is_refused_and_leaves_nothing(here: Path) -> None:
    (here / "text.txt").write_text("yes\nyes yes\n" * 30)
    shown = run_cli("train", "text.txt", "--kind", "ngram")
    assert shown.status == 1 and "at least two different ones" in shown.err
    assert [p.name for p in here.iterdir()] == ["text.txt"]


def test_a_weight_says_how_often_a_line_counts(here: Path) -> None:
    (here / "a.txt").write_text("one\ntwo\nthree\nfour\n")
    for weight, times in ((1.0, [1, 1, 1, 1]), (2.5, [2, 3, 2, 3]), (0.5, [0, 1, 0, 1])):
        source = Source((WeightedText(here / "a.txt", weight),), ENGLISH_ALPHABET)
        lines = [words[0] for words in repeated_lines(source.lines(lambda _: None))]
        assert [lines.count(word) for word in ("one", "two", "three", "four")] == times
