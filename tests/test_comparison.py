"""`tinylm evaluate --against`: the same lines typed by several models, and what is sure of their difference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_rig import run_cli
from models import TEXT, tiny_character_model, tiny_ngram_model, tiny_word_model

from tinylm.baseline import FOLDER
from tinylm.measure import interval_of, resample
from tinylm.model import write_model

pytestmark = pytest.mark.needs("cc")


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for model in (tiny_word_model(), tiny_character_model(), tiny_ngram_model()):
        write_model(tmp_path / model.info.name, model)
    (tmp_path / "one.txt").write_text("\n".join(TEXT.read_text().splitlines()[200:240]))
    (tmp_path / "two.txt").write_text("\n".join(TEXT.read_text().splitlines()[300:330]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_resamples_of_two_predictors_are_of_the_same_lines() -> None:
    lines = [(10 + i % 7, 4 + i % 5) for i in range(60)]
    better = [(characters, keys - 1) for characters, keys in lines]
    apart = interval_of(resample(lines))
    paired = interval_of(resample(better) - resample(lines))
    characters = np.mean([c for c, _ in lines])
    assert paired[0] < 100 / characters < paired[1]
    # One key a line less, in every line: much surer than either figure is.
    assert paired[1] - paired[0] < 0.3 * (apart[1] - apart[0])
    assert interval_of(resample(lines) - resample(lines)) == (0, 0)


def test_models_are_shown_side_by_side_with_the_figures_that_each_has_alone() -> None:
    command = ("evaluate", "one.txt", "two.txt", "-m", "tiny-word")
    told = json.loads(run_cli(*command, "-a", "tiny-ngram", "-a", "tiny-character", "--json").out)
    alone = json.loads(run_cli("evaluate", "one.txt", "two.txt", "-m", "tiny-ngram", "--json").out)
    ngram, character = told["against"]
    assert {k: v for k, v in ngram.items() if k != "less_than_first"} == alone
    assert [ngram["kind"], character["kind"], told["kind"]] == ["ngram", "character", "word"]
    less = ngram["less_than_first"]
    assert less["mean"]["kss"] == pytest.approx(told["mean_kss"] - alone["mean_kss"])
    for name, figures in told["texts"].items():
        assert less["texts"][name]["kss"] == pytest.approx(figures["kss"] - alone["texts"][name]["kss"])
    low, high = less["mean"]["interval"]
    assert low < less["mean"]["kss"] < high
    shown = run_cli(*command, "-a", "tiny-ngram").out
    assert f"{less['mean']['kss']:+.2f}" in shown and f"{low:+.2f}..{high:+.2f}" in shown


def test_a_model_beside_itself_differs_by_nothing() -> None:
    told = json.loads(run_cli("evaluate", "one.txt", "-m", "tiny-word", "-a", "tiny-word", "--json").out)
    assert told["against"][0]["less_than_first"]["mean"] == {"kss": 0.0, "interval": [0.0, 0.0]}


def test_savings_are_told_for_one_three_and_five_suggestions_and_the_mean_of_everything() -> None:
    command = ("evaluate", "one.txt", "two.txt", "-m", "tiny-word", "--json")
    told = {n: json.loads(run_cli(*command, "--shown", str(n)).out) for n in (1, 3, 5)}
    for n, one in told.items():
        for name, figures in one["texts"].items():
            assert figures["kss"] == figures["kss_at"][str(n)] == told[3]["texts"][name]["kss_at"][str(n)]
    at = told[3]["mean"]["kss_at"]
    assert at["1"] < at["3"] < at["5"]
    low, high = told[3]["mean"]["interval"]
    assert low < told[3]["mean_kss"] < high
    bits = [figures["bits_per_character"] for figures in told[3]["texts"].values()]
    assert told[3]["mean"]["bits_per_character"] == pytest.approx(np.mean(bits))


def test_models_of_other_letters_are_refused_before_they_type(models: Path) -> None:
    german = replace(tiny_ngram_model(), info=replace(tiny_ngram_model().info, alphabet="'abcdefghijklmnopqrstuvwxyzß"))
    write_model(models / "german", german)
    shown = run_cli("evaluate", "one.txt", "-m", "tiny-word", "-a", "german")
    assert shown.status == 1 and "Compare models of one language" in shown.err and "one 0 %" not in shown.err


def test_the_n_gram_that_stands_beside_a_model_types_along_and_goes_into_its_card(models: Path) -> None:
    write_model(models / "tiny-word" / FOLDER, tiny_ngram_model())
    (models / "tiny-word" / "metrics.json").write_text('{"language_bytes": 10000}')
    told = json.loads(run_cli("evaluate", "one.txt", "-m", "tiny-word", "--record", "--json").out)
    (beside,) = told["against"]
    metrics = json.loads((models / "tiny-word" / "metrics.json").read_text())["evaluation"]
    assert metrics["packed_ngram"]["mean_kss"] == round(beside["mean_kss"], 2)
    card = (models / "tiny-word" / "README.md").read_text()
    assert f"packed n-gram of {beside['language_bytes']:,} bytes" in card and f"{beside['mean_kss']:.2f} |" in card
    assert "To compare with one" not in run_cli("evaluate", "one.txt", "-m", "tiny-word").out


def test_a_model_without_an_n_gram_beside_it_says_how_to_get_one(models: Path) -> None:
    shown = run_cli("evaluate", "one.txt", "-m", "tiny-word").out
    assert "was not measured" in shown and "--kind ngram --budget" in shown
    assert "--kind ngram" not in run_cli("evaluate", "one.txt", "-m", "tiny-ngram").out
    measured = {
        "shown": 3,
        "mean_kss": 40.0,
        "packed_ngram": {"language_bytes": 9876, "mean_kss": 38.5, "texts": {"mail": 38.5}},
    }
    (models / "tiny-word" / "metrics.json").write_text(json.dumps({"evaluation": measured}))
    assert "9,876 bytes of the same text has 38.50 (mail)" in run_cli("evaluate", "one.txt", "-m", "tiny-word").out
