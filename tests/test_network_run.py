"""The network of a mixture: a draft of it, an n-gram fitted to the draft, and the network beside that n-gram."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models import TEXT

from tinylm.budget import split_budget
from tinylm.corpus import ALPHABETS
from tinylm.errors import TinylmError
from tinylm.model import ModelInfo
from tinylm.network_run import DRAFT_FOLDER, DRAFT_NGRAM, NetworkRun
from tinylm.ngram import parse_ngram
from tinylm.preparation import Source, WeightedText, count_source
from tinylm.run import RunOptions, train_model
from tinylm.training import CHECKPOINT, TrainingPlan, read_made_of

pytestmark = pytest.mark.needs("tensorflow", "keras")
INFO = ModelInfo("t", "mixture", "en", "CC0-1.0", ALPHABETS["en"])
PLAN = TrainingPlan(epochs=0.4, batch=8, steps=8, negatives=0)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "text.txt").write_bytes(TEXT.read_bytes())
    return Source((WeightedText(tmp_path / "text.txt"),), INFO.alphabet)


@pytest.fixture
def likely(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Mean log P of held-out words with the next n-grams that are weighed: first the counted, then the fitted one."""
    found = [-5.0, -4.0]
    monkeypatch.setattr("tinylm.mixture_run.choose_share", lambda *_: (1.4, found.pop(0)))
    return found


def run_of(source: Source, folder: Path, plan: TrainingPlan = PLAN) -> tuple[NetworkRun, list[str]]:
    """A run, and the stages that it reports."""
    counts = count_source(source, folder).counts
    stages: list[str] = []
    split = split_budget("mixture", counts, source.alphabet, 16_384, 4)
    return NetworkRun(INFO, plan, split, source, folder, lambda stage, *_: stages.append(stage)), stages


def test_a_mixture_is_drafted_and_its_network_learns_beside_the_drafts_n_gram(
    source: Source, tmp_path: Path, likely: list[float]
) -> None:
    run, stages = run_of(source, tmp_path)
    trained = run.train()
    order = [stage for stage in dict.fromkeys(stages) if stage in ("drafting", "reading again", "training")]
    assert order == ["drafting", "reading again", "training"]
    ngram = read_made_of(tmp_path / DRAFT_FOLDER / DRAFT_NGRAM)
    assert 0 < parse_ngram(ngram["ngram"].tobytes()).size <= run.split.ngram_bytes and ngram["share"] == 1.4
    alone = replace(run, info=replace(INFO, kind="word"), folder=tmp_path / "alone")
    alone.folder.mkdir()
    assert not np.allclose(alone.train().weights["embedding"], trained.weights["embedding"])


def test_a_draft_is_kept_for_a_run_that_goes_on_and_made_again_for_another_plan(
    source: Source, tmp_path: Path, likely: list[float]
) -> None:
    first = run_of(source, tmp_path)[0].train()
    again, stages = run_of(source, tmp_path)
    for name, value in again.train().weights.items():
        assert np.array_equal(value, first.weights[name])
    assert "drafting" in stages and "reading again" not in stages  # what the draft said is told, nothing is fitted
    likely[:] = [-5.0, -4.0]
    longer, stages = run_of(source, tmp_path, replace(PLAN, epochs=0.5))
    longer.train()
    assert "reading again" in stages and not likely


def test_where_counts_say_more_the_network_learns_alone(source: Source, tmp_path: Path, likely: list[float]) -> None:
    likely.reverse()
    trained = run_of(source, tmp_path)[0].train()
    assert not len(read_made_of(tmp_path / DRAFT_FOLDER / DRAFT_NGRAM)["ngram"])
    run, _ = run_of(source, tmp_path)
    alone = replace(run, info=replace(INFO, kind="word"), folder=tmp_path / "alone")
    alone.folder.mkdir()
    assert np.array_equal(alone.train().weights["embedding"], trained.weights["embedding"])


def test_a_text_of_which_little_is_held_out_has_no_draft(source: Source, tmp_path: Path, likely: list[float]) -> None:
    (tmp_path / "text.txt").write_text("\n".join(TEXT.read_text().splitlines()[:400]))
    run_of(source, tmp_path)[0].train()
    assert not (tmp_path / DRAFT_FOLDER).exists() and len(likely) == 2


def test_a_full_disk_keeps_the_draft_and_the_run_goes_on(
    source: Source, tmp_path: Path, likely: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RunOptions("t", "mixture", "en", 16_384, ((str(tmp_path / "text.txt"), 1.0),), plan=PLAN, weight_bits=4)

    def full(path: Path, arrays: dict) -> None:
        raise TinylmError(f"'{path}' could not be written: No space left on device.")

    with monkeypatch.context() as disk:
        disk.setattr("tinylm.network_run.write_arrays", full)
        with pytest.raises(TinylmError, match=r"ngram\.npz' could not be written"):
            train_model(options, tmp_path / "run", lambda *_: None)
    assert (tmp_path / "run" / DRAFT_FOLDER / CHECKPOINT).is_file()
    likely[:] = [-5.0, -4.0] * 2
    assert train_model(options, tmp_path / "run", lambda *_: None).ngram


@pytest.mark.parametrize("cut", [b"PK cut", b""])
def test_a_damaged_draft_says_how_to_go_on(source: Source, tmp_path: Path, likely: list[float], cut: bytes) -> None:
    run_of(source, tmp_path)[0].train()
    (tmp_path / DRAFT_FOLDER / DRAFT_NGRAM).write_bytes(cut)
    with pytest.raises(TinylmError, match=r"ngram\.npz' is damaged") as refused:
        run_of(source, tmp_path)[0].train()
    assert "--restart" in refused.value.hint
