"""`tinylm train --kind mixture`: lexicon, network and n-gram in one budget, each fitted to what the others leave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_rig import run_cli
from models import TEXT, tiny_int4_model, tiny_lines, tiny_mixture_model

from tinylm.engine import HostEngine
from tinylm.flatbuffer import read_tflite
from tinylm.language import build_language
from tinylm.measure import type_line
from tinylm.mixture import Choice, choices_of
from tinylm.mixture_run import SHARES, NumberedText, add_ngram, choose_share
from tinylm.model import Model, load_model, write_model
from tinylm.ngram import parse_ngram, read_ngram
from tinylm.preparation import Source, WeightedText

LINES = tiny_lines()


def test_the_share_is_the_one_at_which_the_words_of_the_lines_are_likeliest() -> None:
    model = tiny_mixture_model()
    ngram = read_ngram(parse_ngram(model.ngram))
    known, _ = choose_share(model, ngram, LINES, SHARES)
    assert known == SHARES[-1]  # its n-gram knows these lines, its network is random
    turned = [words[::-1] for words in LINES]
    assert choose_share(model, ngram, turned, SHARES)[0] == SHARES[0]


def test_chances_are_those_of_network_and_n_gram() -> None:
    model = tiny_mixture_model()
    ngram = read_ngram(parse_ngram(model.ngram))
    lines = [*LINES[:10], *(words[::-1] for words in LINES[10:20])]
    seen = list(choices_of(model, ngram, [*lines, ["zebra"]]))
    assert len(seen) == sum(map(len, lines))  # the lexicon has every word of these lines, and no zebra
    assert all(0 < c.network < 1 and 0 <= c.ngram <= c.followers for c in seen)
    assert 0 < np.mean([c.ngram > 0 for c in seen]) < 1
    assert Choice(0.2, 0.5, 0.5).nats(1.0) == pytest.approx(np.log(0.7 / 1.5))


def test_a_text_without_held_out_lines_is_weighed_on_its_first_words(tmp_path: Path) -> None:
    model = tiny_mixture_model()
    lines = [LINES[0], [LINES[1][0], "zebra", *LINES[1][1:]]]
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, lines)))
    source = Source((WeightedText(tmp_path / "text.txt"),), model.info.alphabet)
    numbered = NumberedText.write(source, model, tmp_path, lambda *_: None)
    assert numbered.lines(model) == [["?" if word == "zebra" else word for word in words] for words in lines]
    assert replace(numbered, held=[["hut"]]).lines(model) == [["hut"]]


@pytest.mark.needs("tensorflow", "keras")
def test_the_n_gram_fills_the_bytes_that_are_left_and_counts_no_held_out_line(tmp_path: Path) -> None:
    model = replace(tiny_mixture_model(), ngram=b"")
    text = tmp_path / "text.txt"
    lines = [" ".join(words) for words in LINES[:49]]
    text.write_text("\n".join([*lines, "zebra hut zebra hut", *lines]))
    source = Source((WeightedText(text),), model.info.alphabet)
    told: list[tuple[str, int, int]] = []

    def report(stage: str, done: int, total: int, _: str) -> None:
        told.append((stage, done, total))

    numbered = NumberedText.write(source, model, tmp_path, report)
    grown, metrics = add_ngram(model, numbered, 16_384, report)
    assert all(done <= total for _, done, total in told)
    assert {"counting", "numbering"} <= {stage for stage, done, total in told if done == total}
    size = len(build_language(grown).content)
    assert size <= 16_384 and metrics["ngram_bytes"] == parse_ngram(grown.ngram).size
    small, less = add_ngram(model, numbered, size - 500, report)
    assert size - 600 < len(build_language(small).content) <= size - 500 and less["pairs"] < metrics["pairs"]
    counts = read_ngram(parse_ngram(grown.ngram))
    assert counts.followers(0, 1) == {}  # no counted line has a word that the model does not know
    assert round(np.exp(grown.info.share_millinats / 1000), 2) == metrics["ngram_share"]


def test_of_two_n_grams_the_one_is_kept_beside_which_held_out_words_are_likelier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = replace(tiny_mixture_model(), ngram=b"")
    (tmp_path / "text.txt").write_text("\n".join(" ".join(words) for words in LINES))
    source = Source((WeightedText(tmp_path / "text.txt"),), model.info.alphabet)
    monkeypatch.setattr("tinylm.mixture_run.read_chances", lambda _, text, *more: np.full(len(text.ids) - 1, 0.001))
    for likely, how in (((-4.0, -5.0), "counted"), ((-5.0, -4.0), "beside the network")):
        found = iter(likely)
        monkeypatch.setattr("tinylm.mixture_run.choose_share", lambda *_, found=found: (1.4, next(found)))
        numbered = NumberedText.write(source, model, tmp_path, lambda *_: None)
        grown, metrics = add_ngram(model, numbered, 14_000, lambda *_: None)
        assert metrics["ngram_fitted"] == how and parse_ngram(grown.ngram).size == metrics["ngram_bytes"]


@pytest.mark.needs("tensorflow", "keras", "cc")
def test_a_mixture_is_trained_evaluated_and_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = (
        "train",
        str(TEXT),
        "--kind",
        "mixture",
        "--budget",
        "20K",
        "--epochs",
        "0.2",
        "--name",
        "mixed",
        "--json",
    )
    shown = run_cli(*command)
    assert shown.status == 0, shown.err
    metrics = json.loads(shown.out)
    model = load_model(tmp_path / "runs" / "mixed")
    assert metrics["language_bytes"] == len(build_language(model).content)
    assert 20_480 - 700 < metrics["language_bytes"] <= 20_480
    assert metrics["ngram_bytes"] > 8_000 and metrics["ngram_share"] in SHARES
    shown = run_cli("evaluate", str(TEXT), "--model", "runs/mixed", "--lines", "30", "--json")
    assert shown.status == 0, shown.err
    figures = json.loads(shown.out)["texts"]["radio"]
    assert figures["kss"] > 35 and 0.5 < figures["bits_per_character"] < 3
    shown = run_cli("build", "--board", "host", "--model", "runs/mixed", "--json")
    assert shown.status == 0 and json.loads(shown.out)["kind"] == "mixture"


def kept_keys(model: Model, lines: Sequence[Sequence[str]]) -> float:
    """Keystrokes that the lines take."""
    engine = HostEngine(model)
    return sum(type_line(engine, words, 3, lambda _: True, False).lines[0][1] for words in lines)


@pytest.mark.needs("tensorflow", "keras", "cc")
def test_a_mixture_is_fine_tuned_and_stays_one_of_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its network has weights of 4 bits, so the one that is trained has them too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinylm.base.LEAST_REHEARSAL", 10_000)
    start = replace(tiny_mixture_model(), tflite=tiny_int4_model().tflite)
    write_model(tmp_path / "base", start)
    others = sorted({words[0] for words in LINES})
    own = [f"check the balun on {word}" for word in others]
    (tmp_path / "mine.txt").write_text("\n".join(own) + "\n")
    shown = run_cli("train", "mine.txt", "--from", "base", "--json")
    assert shown.status == 0, shown.err
    metrics, made = json.loads(shown.out), load_model(tmp_path / "runs" / "mine")
    assert made.info.kind == "mixture" and metrics["fine_tuned_from"] == "tiny-mixture"
    size, was = (len(build_language(model).content) for model in (made, start))
    assert size <= was and metrics["weight_bits"] == 4
    assert any(tensor.dtype == "int4" for tensor in read_tflite(made.tflite).tensors)
    engine = HostEngine(made)
    engine.feed("check ")
    assert engine.suggest(3)[0] == "the"
    engine.feed("the ")
    assert engine.suggest(3)[0] == "balun"
    assert kept_keys(made, LINES[:40]) < 1.1 * kept_keys(start, LINES[:40])
