"""What a budget is spent on: network or n-gram, the split, the board's room; chosen by typing lines that nothing learned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_rig import run_cli
from models import TEXT, tiny_lines, tiny_ngram_model, tiny_word_model

from tinylm.baseline import choose_kind
from tinylm.board import load_board
from tinylm.budget import Split, usual_proportions
from tinylm.card import write_metrics
from tinylm.choice import MOST_JUDGES, Table, candidates, judges_of
from tinylm.corpus import ENGLISH_ALPHABET, word_finder
from tinylm.language import build_language
from tinylm.memory import largest_language_bytes
from tinylm.model import load_model, write_model
from tinylm.network import NetworkShape
from tinylm.preparation import LearnedPart, Source, WeightedText, held_out_part
from tinylm.vocabulary import Vocabulary


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_candidates_are_the_rule_and_its_neighbours_each_once() -> None:
    for budget in (8 << 10, 24 << 10, 256 << 10, 2 << 20):
        found = candidates(budget, usual_proportions(budget, 8))
        assert found["the rule"] == usual_proportions(budget, 8) == next(iter(found.values()))
        assert len(set(found.values())) == len(found) >= 4
        assert found["weights of 4 bits"].weight_bits == 4


def test_judges_come_evenly_from_the_text_and_are_not_too_many() -> None:
    lines = [[f"{i}"] for i in range(2 * MOST_JUDGES + 10)]
    judges = judges_of(lines)
    assert MOST_JUDGES / 2 <= len(judges) <= MOST_JUDGES and int(judges[-1][0]) > MOST_JUDGES
    assert judges_of([]) == [] and judges_of([["a"], ["b"]]) == [["a"], ["b"]]


def test_a_text_falls_into_what_is_learned_and_what_judges(here: Path) -> None:
    lines = [f"line {'abcdefghij'[i % 10]} {'abcdefghij'[i // 10]} here" for i in range(100)]
    (here / "text.txt").write_text("\n".join(lines))
    source = Source((WeightedText(here / "text.txt"),), ENGLISH_ALPHABET)
    learned = [" ".join(words) for _, words in LearnedPart(source).lines()]
    judging = [" ".join(words) for words in held_out_part(source)]
    assert len(judging) == 2 and sorted(learned + judging) == sorted(lines)
    assert [" ".join(words) for _, words in LearnedPart(source, 7).lines()] == learned[::7]


@pytest.mark.needs("cc")
def test_the_first_of_a_table_stands_unless_another_is_surely_better() -> None:
    words_of = word_finder(ENGLISH_ALPHABET)
    judges = [words_of(line) for line in TEXT.read_text().splitlines()[:80]]  # the n-gram counted these
    for names, chosen in ((("random", "counted"), "counted"), (("counted", "random"), "counted")):
        table = Table(judges)
        for name in names:
            table.judge(name, tiny_word_model() if name == "random" else tiny_ngram_model())
        assert table.choose(surely=True).what == chosen
        assert [row["chosen"] for row in table.as_json()] == [name == chosen for name in names]
    unsure = Table(judges[:2])
    unsure.judge("first", tiny_ngram_model())
    unsure.judge("same", tiny_ngram_model())
    assert unsure.choose(surely=True).what == "first" and unsure.rows[1].interval == (0.0, 0.0)


@pytest.mark.needs("cc")
@pytest.mark.parametrize("may_replace", [True, False])
def test_an_n_gram_that_is_surely_better_takes_the_networks_place_where_it_may(here: Path, may_replace: bool) -> None:
    network, ngram = tiny_word_model(), tiny_ngram_model()  # random weights; the n-gram counted these lines
    split = Split(Vocabulary((), (), 0), NetworkShape("word", 200, 12, 16), 0, 0)
    for folder, model in ((here / "run", network), (here / "run" / "baseline", ngram)):
        write_model(folder, model)
        said = {"language_bytes": len(build_language(model).content), "text_words": 5}
        write_metrics(folder, model.info, said | ({"hidden": 16} if model is network else {}))
    made = choose_kind(here / "run", network, ngram, split, tiny_lines()[:80], may_replace, lambda *_: None)
    kinds = json.loads((here / "run" / "metrics.json").read_text())["kinds"]
    assert [row["what"] for row in kinds if row["chosen"]] == ["n-gram"]
    written = load_model(here / "run")
    assert (written.info.kind, written.hash) == (made.info.kind, made.hash)
    assert written.info.name == network.info.name and made.info.kind == ("ngram" if may_replace else "word")
    other = load_model(here / "run" / ("network" if may_replace else "baseline"))
    assert other.info.kind == ("word" if may_replace else "ngram")
    assert (here / "run" / "model.tflite").exists() == (not may_replace)
    assert not (here / "run" / ("baseline" if may_replace else "network")).exists()
    metrics = json.loads((here / "run" / "metrics.json").read_text())
    assert ("hidden" in metrics) != may_replace and metrics["text_words"] == 5  # a card tells of what is written


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--board", "arduino-uno", "--budget", "24K"], 2, "exclude each other"),
        (["--board", "host"], 1, "sets no limit"),
        (["--board", "arduino-unu"], 1, "arduino-uno"),
        (["--search", "--kind", "ngram"], 2, "--search splits"),
        (["--search", "--kind", "mixture"], 2, "the kind here is 'mixture'"),
        (["--search", "--weight-bits", "8"], 2, "--weight-bits out"),
    ],
)
def test_options_that_make_no_sense_are_refused(here: Path, arguments: list[str], status: int, says: str) -> None:
    shown = run_cli("train", TEXT, *arguments)
    assert shown.status == status and says in shown.err and not list(here.iterdir())


@pytest.mark.needs("cc", "tensorflow", "keras")
def test_training_for_a_board_by_search_says_what_was_chosen_and_from_what(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinylm.trials.TRIAL_WORDS", 500)
    monkeypatch.setattr("tinylm.choice._STEPS", {"the rule": (1.0, 1.0, 1.0), "fewer words": (0.75, 1.0, 1.0)})
    monkeypatch.setattr("tinylm.choice.usual_proportions", lambda budget, bits: usual_proportions(12 << 10, bits))
    (here / "text.txt").write_text("\n".join(TEXT.read_text().splitlines()[:2500]))
    options = ("--board", "arduino-uno", "--epochs", "0.02", "-o", "run")
    shown = run_cli("train", "text.txt", *options, "--search")
    assert shown.status == 0, shown.err
    assert "Splits of the budget" in shown.out and "weights of " in shown.out and shown.out.count("(chosen)") == 2
    run = json.loads((here / "run" / "run.json").read_text())
    assert run["budget"] == largest_language_bytes(load_board("arduino-uno")) and run["search"]
    metrics = json.loads((here / "run" / "metrics.json").read_text())
    # After so little training the n-gram is surely better, and takes the network's place.
    assert [row["what"] for row in metrics["kinds"] if row["chosen"]] == ["n-gram"]
    assert load_model(here / "run").info.kind == "ngram" and load_model(here / "run" / "network").info.kind == "word"
    assert not (here / "run" / "model.tflite").exists() and not (here / "run" / "baseline").exists()
    trial = next(row for row in metrics["trials"] if row["chosen"])
    network = json.loads((here / "run" / "network" / "metrics.json").read_text())
    assert all(trial[name] == network[name] for name in ("rows", "embedding", "hidden"))
