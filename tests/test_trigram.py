"""The bar of benchmarks/: its probabilities are probabilities, its size is the formula's, it suggests the best words."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from kneser_ney import TrigramEngine, prune, word_list_bits  # noqa: E402
from report import BEGIN, END, load_rows, render_figures, render_tables, replace_between  # noqa: E402

from tinylm.kneser_ney import PRUNINGS, Counts, count_text, encode_text, rank_entries  # noqa: E402
from tinylm.measure import type_line  # noqa: E402

TOY = """how are you today
how are you doing
how is your day
are you there
you are there today
your day is how
i'm there
are you your own""".splitlines()


@pytest.fixture(scope="module")
def counts() -> Counts:
    return count_text(encode_text(line.split() for line in TOY), vocabulary=8)


@pytest.mark.parametrize("pruning", PRUNINGS)
@pytest.mark.parametrize("budget", [0, 45, 55, 10_000])
def test_probabilities_of_words_sum_to_one_in_every_context(counts: Counts, pruning: str, budget: int) -> None:
    model = prune(counts, budget, rank_entries(counts, pruning))
    rows = len(counts.words) + 2
    for before in range(rows):
        for last in range(rows):
            p = model.probabilities(before, last)
            assert p.sum() == pytest.approx(1.0) and p.min() >= 0 and not p[:2].any()


def test_counts_are_those_of_the_text(counts: Counts) -> None:
    assert len(counts.words) == 8 and list(counts.words) == sorted(counts.words)
    row = {w: i + 2 for i, w in enumerate(counts.words)}
    size = len(row) + 2
    pairs = dict(zip(counts.pair_keys.tolist(), counts.pair_counts.tolist()))
    triples = dict(zip(counts.triple_keys.tolist(), counts.triple_counts.tolist()))
    assert pairs[row["are"] * size + row["you"]] == 4
    assert pairs[0 * size + row["how"]] == 3  # at the start of a line
    assert triples[(row["how"] * size + row["are"]) * size + row["you"]] == 2
    assert triples[(0 * size + row["are"]) * size + row["you"]] == 2
    assert not any(key // size % size == 0 for key in triples)
    # "you" follows a line's start and "are": 2 of all different pairs.
    assert counts.unigram[row["you"]] == pytest.approx(2 / len(pairs))


def test_a_shorter_context_counts_the_different_words_before_it(counts: Counts) -> None:
    row = {w: i + 2 for i, w in enumerate(counts.words)}
    size = len(row) + 2
    mass = dict(zip(counts.pair_keys.tolist(), counts.pair_mass.tolist()))
    # "are you" comes after "how" and after a line's start, "are there" after "you": 2 - D against 1 - D.
    you, there = mass[row["are"] * size + row["you"]], mass[row["are"] * size + row["there"]]
    assert you * 3 - there * 3 == pytest.approx(1.0)


def test_a_word_list_costs_5_bits_a_new_letter_5_a_word_and_3_for_its_level() -> None:
    # day (3 letters), days (1 new), how (3), however (4)
    assert word_list_bits(["day", "days", "how", "however"]) == 5 * (3 + 1 + 3 + 4) + (5 + 3) * 4


@pytest.mark.parametrize("pruning", PRUNINGS)
def test_size_is_the_words_and_log2_plus_3_bits_an_entry_and_fills_its_budget(counts: Counts, pruning: str) -> None:
    ranking = rank_entries(counts, pruning)
    for budget in range(40, 70):
        model = prune(counts, budget, ranking)
        entries = len(model.pair_keys) + len(model.triple_keys)
        bits = word_list_bits(counts.words) + entries * (math.log2(8) + 3)
        assert model.language_bytes == math.ceil(bits / 8) <= max(budget, math.ceil(word_list_bits(counts.words) / 8))
        contexts = model.triple_keys // len(counts.unigram)
        known = contexts[np.isin(contexts, counts.pair_keys)]
        assert np.isin(known, model.pair_keys).all()
    everything = prune(counts, 10_000, ranking)
    assert len(everything.triple_keys) == len(counts.triple_keys)


def test_suggestions_are_the_most_probable_words_that_go_on_from_the_prefix(counts: Counts) -> None:
    model = prune(counts, 10_000, rank_entries(counts, "count"))
    engine = TrigramEngine(model)
    row = {w: i + 2 for i, w in enumerate(counts.words)}
    for line in ("", "h", "how are ", "how are y", "how are you", "zebra ", "are you t", "q"):
        *closed, prefix = line.split(" ")
        before, last = ([0, 0] + [row.get(w, 1) for w in closed])[-2:]
        p = model.probabilities(before, last)
        fitting = [w for w in counts.words if w.startswith(prefix) and w != prefix]
        engine.reset()
        engine.feed(line)
        assert engine.suggest(3) == sorted(fitting, key=lambda w: (-p[row[w]], w))[:3]


def test_the_measures_loop_types_it_and_backspace_takes_back(counts: Counts) -> None:
    engine = TrigramEngine(prune(counts, 10_000, rank_entries(counts, "count")))
    plain = type_line(engine, TOY[0].split(), 3, engine.row.__contains__, probe=False)
    probed = type_line(engine, TOY[0].split(), 3, engine.row.__contains__, probe=True)
    assert plain.lines == probed.lines
    characters, keys = plain.lines[0]
    assert characters == len(TOY[0]) and keys < characters


def test_the_report_puts_rows_with_the_same_texts_in_one_table(tmp_path: Path) -> None:
    texts = {"mail": {"kss": 40.04, "lines": 500}}
    small = {"model": "a", "language_bytes": 24_000, "shown": 3, "mean_kss": 40.04, "texts": texts}
    (tmp_path / "trigram.json").write_text(json.dumps({"sizes": [small | {"model": "t", "vocabulary_words": 5000}]}))
    beside = small | {"model": "a-ngram", "kind": "ngram", "language_bytes": 24_001}
    (tmp_path / "evaluate-a.json").write_text(json.dumps(small | {"against": [beside]}))
    other = small | {"texts": {"mail": {"kss": 41.0, "lines": 900}}}
    (tmp_path / "evaluate-b.json").write_text(json.dumps(other))
    (tmp_path / "unrelated.json").write_text('{"seconds": 3}')
    tables = render_tables(load_rows(tmp_path))
    assert tables.count("| predictor |") == 2
    assert "| t | 24,000 | 5,000 | 40.04 | 40.0 |" in tables and "| a (evaluate-a) | 24,000 |" in tables
    assert "| a-ngram (evaluate-a) | 24,001 |" in tables
    assert replace_between(f"x {BEGIN} old {END} y", "new") == f"x {BEGIN}\n\nnew\n{END} y"


def test_a_shipped_model_stands_beside_the_packed_n_gram_that_was_measured_with_it() -> None:
    texts = {"mail": {"kss": 40.0, "lines": 500}}
    fewer = {"mail": {"kss": 40.0, "lines": 100}}
    beside = {"kind": "ngram", "model": "a-ngram", "language_bytes": 24_400, "mean_kss": 38.1, "texts": texts}
    rows = [
        {"source": source, "kind": kind, "model": source, "language_bytes": size, "mean_kss": kss, "texts": of} | more
        for source, kind, size, kss, of, more in (
            ("evaluate-a", "word", 24_500, 44.4, texts, {"against": [beside]}),
            ("evaluate-ngram-24k", "ngram", 24_552, 38.9, texts, {}),
            ("evaluate-b", "mixture", 260_000, 46.0, texts, {}),
            ("evaluate-c", "mixture", 2_000_000, 50.0, fewer, {}),
            ("evaluate-d", "word", 30_000, 35.0, {"briefe": {"kss": 35.0, "lines": 500}}, {}),
        )
    ]
    assert render_figures(rows).splitlines()[2:] == [
        "| evaluate-a | 24,500 | **44.4** | 38.1 |  |  |",
        "| evaluate-b | 260,000 | **46.0** |  |  |  |",
        "| evaluate-c (at most 100 lines of each) | 2,000,000 | **50.0** |  |  |  |",
    ]


def test_the_table_of_benchmarks_is_what_its_results_say() -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert replace_between(readme, render_tables(load_rows(BENCHMARKS / "results"))) == readme
