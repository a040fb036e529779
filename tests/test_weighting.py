"""The weights of texts: they follow the first text, no step makes the fit worse, and `tinylm train` shows and uses them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from cli_rig import run_cli
from hypothesis import given
from hypothesis import strategies as st
from models import TEXT

from tinylm import weighting
from tinylm.corpus import ENGLISH_ALPHABET
from tinylm.weighting import (
    LEAST_WEIGHT,
    MOST_WEIGHT,
    Evidence,
    balance,
    find_weights,
    fit_weights,
    log_likelihood,
    round_weight,
)

EXAMPLES = Path(__file__).parents[1] / "examples" / "texts"
ENGLISH, GERMAN = EXAMPLES / "en", EXAMPLES / "de"


def some_lines(path: Path, start: int, count: int, folder: Path) -> list[Path]:
    """So many lines of a text, in a file of their own."""
    made = folder / f"{path.parent.name}-{path.stem}-{start}.txt"
    made.write_text("\n".join(path.read_text("utf-8").splitlines()[start : start + count]) + "\n", "utf-8")
    return [made]


def test_text_of_the_first_ones_register_weighs_more_than_another_language(tmp_path: Path) -> None:
    mine = some_lines(ENGLISH / "messages.txt", 0, 600, tmp_path)
    alike = some_lines(ENGLISH / "conversation.txt", 0, 1500, tmp_path)
    german = some_lines(GERMAN / "messages.txt", 0, 1200, tmp_path)
    found = find_weights([mine, german, alike], ENGLISH_ALPHABET)
    assert found.lines == 60 and found.words[0] > 5000
    own, foreign, same = found.weights
    assert own > 1.5 * foreign and same > 1.5 * foreign
    foreign, own, same = find_weights([german, mine, alike], ENGLISH_ALPHABET).weights
    assert foreign > 2 * own and foreign > 2 * same


def test_the_same_texts_have_the_same_weights_and_files_of_a_folder_share_one(tmp_path: Path) -> None:
    mine = some_lines(ENGLISH / "radio.txt", 0, 300, tmp_path)
    folder = sorted(ENGLISH.glob("[ms]*.txt"))
    first = find_weights([mine, folder], ENGLISH_ALPHABET)
    assert first == find_weights([mine, folder], ENGLISH_ALPHABET)
    assert len(first.weights) == 2 and first.words[1] > 40_000


def test_the_judging_lines_are_not_counted_and_held_out_lines_do_not_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = some_lines(ENGLISH / "radio.txt", 0, 200, tmp_path)
    seen: list[Evidence] = []
    monkeypatch.setattr(weighting, "fit_weights", lambda e: seen.append(e) or np.ones(2))
    found = find_weights([mine, mine], ENGLISH_ALPHABET)  # The second is the first: every line of it was seen before.
    assert seen[0].sizes.sum() + sum(map(len, _judges(mine[0]))) == sum(found.words)
    assert find_weights([mine, some_lines(ENGLISH / "work.txt", 0, 50, tmp_path)], ENGLISH_ALPHABET, mine).lines == 0


def _judges(path: Path) -> list[list[str]]:
    from tinylm.corpus import normalise

    return [normalise(line) for line in path.read_text("utf-8").splitlines()[9::10]]


def test_a_handful_of_lines_decides_little(tmp_path: Path) -> None:
    few = some_lines(ENGLISH / "messages.txt", 0, 20, tmp_path)
    large = some_lines(ENGLISH / "work.txt", 0, 2500, tmp_path)
    assert all(0.8 <= weight <= 3 for weight in find_weights([few, large], ENGLISH_ALPHABET).weights)


def test_a_text_without_a_word_has_a_weight_too(tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("1 2 3\n" * 30)
    assert find_weights([[tmp_path / "numbers.txt"]] * 2, ENGLISH_ALPHABET).lines == 0


def some_evidence(seed: int, words: int, texts: int) -> Evidence:
    """Counts as texts have them: a pair is never counted more often than its words."""
    rng = np.random.default_rng(seed)
    pairs = rng.poisson(rng.exponential(2.0, (words, texts))).astype(float)
    of_word, of_context = (pairs + rng.poisson(rng.exponential(30.0, (words, texts))) for _ in range(2))
    of_word[:, 0] += 1
    return Evidence(pairs, of_word, of_context, of_word.sum(0) + rng.integers(10, 1000, texts))


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(2, 6))
def test_no_step_makes_the_fit_worse_and_the_end_is_a_summit(seed: int, words: int, texts: int) -> None:
    evidence = some_evidence(seed, words, texts)
    steps = weighting.STEPS
    try:
        fits = []
        for weighting.STEPS in (0, 1, 2, 3, 5, 10, 50, steps):
            fits.append(log_likelihood(evidence, fit_weights(evidence)))
    finally:
        weighting.STEPS = steps
    assert all(after >= before - 1e-9 * abs(before) for before, after in zip(fits, fits[1:]))
    best = fit_weights(evidence)
    for text in range(texts):
        for factor in (0.9, 1.1):
            other = best.copy()
            other[text] *= factor
            assert log_likelihood(evidence, other) <= fits[-1] + 1e-6


@given(st.lists(st.tuples(st.floats(1e-4, 1e4), st.integers(0, 10**7)), min_size=1, max_size=8))
def test_balanced_weights_keep_to_their_bounds_and_order(weighted: list[tuple[float, int]]) -> None:
    weights, sizes = np.array([w for w, _ in weighted]), np.array([float(n) for _, n in weighted])
    found = balance(weights, sizes)
    assert found.min() >= LEAST_WEIGHT and found.max() <= MOST_WEIGHT
    assert np.all(np.diff(found[np.argsort(weights)]) >= 0)
    if found.min() > LEAST_WEIGHT and found.max() < MOST_WEIGHT and sizes.sum():
        assert np.isclose(found @ sizes, sizes.sum())
    assert all(abs(round_weight(w) / w - 1) < 0.06 for w in found)


# --- tinylm train


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = TEXT.read_text("utf-8").splitlines()
    random.Random(1).shuffle(lines)
    (tmp_path / "mine.txt").write_text("\n".join(lines[:300]))
    (tmp_path / "large.txt").write_text((ENGLISH / "work.txt").read_text("utf-8"))
    return tmp_path


def train(*arguments: str) -> str:
    shown = run_cli("train", *arguments, "--kind", "ngram", "--budget", "12K", "-o", "run", "--restart")
    assert shown.status == 0, shown.err
    return shown.out


def test_train_finds_weights_where_none_is_given_and_shows_them(here: Path) -> None:
    out = train("mine.txt", "large.txt")
    assert "found on 30 lines of mine.txt" in out
    (mine, own), (large, other) = json.loads((here / "run" / "run.json").read_text())["texts"]
    assert (mine, large) == ("../mine.txt", "../large.txt") and own > 1 > other
    assert f"{own:g}" in out and f"(weight {own:g})" in (here / "run" / "README.md").read_text()
    metrics = json.loads(train("mine.txt", "large.txt", "--json"))
    assert metrics["weights_found_on_lines"] == 30


def test_a_weight_that_is_given_stands_and_the_others_are_1(here: Path) -> None:
    assert "found on" not in train("mine.txt:3", "large.txt")
    run = json.loads((here / "run" / "run.json").read_text())
    assert [weight for _, weight in run["texts"]] == [3.0, 1.0] and "weights_found_on_lines" not in run
    assert "found on" not in train("mine.txt")


def test_a_missing_text_among_several_is_refused_before_anything_is_read(here: Path) -> None:
    shown = run_cli("train", "mine.txt", "nowhere.txt")
    assert shown.status == 1 and "no file or folder 'nowhere.txt'" in shown.err
    assert not (here / "runs").exists()
