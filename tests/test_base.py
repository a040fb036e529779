"""Fine-tuning: a model talks, and its weights go over to another vocabulary without loss."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from models import tiny_character_model, tiny_int4_model, tiny_ngram_model, tiny_word_model

from tinylm.base import (
    DISCOUNT,
    NOMINAL_WORDS,
    carry_over,
    joined_counts,
    open_base,
    own_weight,
    rehearsal_words,
    rehearse,
)
from tinylm.errors import TinylmError
from tinylm.flatbuffer import read_tflite
from tinylm.graph import understand_step
from tinylm.network import NetworkShape
from tinylm.quantize import dequantize, float_steps, quantize
from tinylm.reference import run_step
from tinylm.vocabulary import choose_vocabulary


@pytest.mark.parametrize(("make", "bits"), [(tiny_word_model, 8), (tiny_int4_model, 4)])
def test_float_weights_from_a_quantized_network_give_its_logits_but_for_rounding(make: object, bits: int) -> None:
    graph = read_tflite(make().tflite)
    shape, weights = dequantize(graph)
    assert shape.weight_bits == bits
    ids = np.array([[0, 5, 9, 1, 30, 2]])
    wanted = float_steps(shape, weights, ids)["logits"]
    step, state = understand_step(graph), np.zeros(shape.hidden, np.int8)
    scale = graph.tensor(step.logits).scale
    for row, logits in zip(ids[0], wanted):
        made = run_step(step, int(row), state)
        state = made.state
        assert np.abs(made.logits * scale - logits).max() < 8 * scale


def test_a_network_that_is_made_float_and_int8_again_has_nearly_the_same_weights() -> None:
    graph = read_tflite(tiny_word_model().tflite)
    shape, weights = dequantize(graph)
    again = quantize(shape, weights, np.array([[0, 5, 9, 1, 30, 2, 7, 8]]))
    for one, other in zip(graph.tensors, again.tensors):
        if one.values is not None and one.dtype == "int8":
            assert np.abs(one.scale * one.values - other.scale * other.values).max() <= max(one.scale, other.scale)


def test_rehearsal_is_the_same_for_a_seed_and_says_only_words_of_the_model() -> None:
    base = open_base(tiny_word_model())
    one, two, other = rehearse(base, 600, 1), rehearse(base, 600, 1), rehearse(base, 600, 2)
    assert one == two and one != other
    said = {word for line in one.lines for word in line}
    assert said <= set(tiny_word_model().words)
    assert 600 <= sum(map(len, one.lines))
    assert said & set(base.lexicon)


def test_what_a_model_expects_is_what_it_says() -> None:
    """Of random weights every word is about as likely as its frequency; the chances must agree with what was drawn."""
    base = open_base(tiny_word_model())
    made = rehearse(base, 30_000, 1)
    said = Counter(word for line in made.lines for word in line)
    assert set(made.chances) == set(tiny_word_model().words) and sum(made.chances.values()) <= 1 + 1e-9
    for word, count in said.most_common(20):
        assert made.chances[word] == pytest.approx(count / said.total(), rel=0.25)


def test_the_users_words_get_in_and_the_rarest_go() -> None:
    base = open_base(tiny_word_model())
    made = rehearse(base, 600, 1)
    own = Counter({"antenna": 40, "balun": 30, "once": 1})
    counts = joined_counts(made, own)
    assert counts["balun"] == round(0.5 * NOMINAL_WORDS * (30 - DISCOUNT) / 71)
    chosen = choose_vocabulary(counts, 198, 400)
    levels = dict(zip(chosen.words, chosen.levels))
    assert levels["antenna"] == 0 and levels["balun"] == 0 and "once" in levels


def test_a_word_keeps_its_row_and_a_new_one_starts_as_the_unknown_word() -> None:
    base = open_base(tiny_word_model())
    counts = joined_counts(rehearse(base, 600, 1), Counter({"balun": 30, "the": 20}))
    vocabulary = choose_vocabulary(counts, 150, 300)
    shape = NetworkShape("word", 2 + vocabulary.levels.count(0), base.shape.embedding, base.shape.hidden)
    weights = carry_over(base, vocabulary, counts, shape)
    rows, known = vocabulary.row_ids(), dict(zip(base.words, range(2, 2 + len(base.words))))
    kept = next(w for w in rows if w in known)
    assert np.array_equal(weights["embedding"][rows[kept]], base.weights["embedding"][known[kept]])
    assert weights["output_bias"][rows[kept]] == base.weights["output_bias"][known[kept]]
    assert np.array_equal(weights["embedding"][rows["balun"]], base.weights["embedding"][1])
    assert weights["output_bias"][rows["balun"]] < base.weights["output_bias"][1]
    assert np.array_equal(weights["recurrent"], base.weights["recurrent"])


@pytest.mark.parametrize(
    ("own", "words", "weight"), [(2_000, 200_000, 5.0), (100_000, 200_000, 2.0), (5_000_000, 1_000_000, 0.2)]
)
def test_a_small_text_counts_more_than_its_size_and_a_large_one_less(own: int, words: int, weight: float) -> None:
    assert rehearsal_words(own) == words and own_weight(own, words) == weight


@pytest.mark.parametrize("model", [tiny_character_model, tiny_ngram_model])
def test_a_start_has_a_word_network(model) -> None:
    with pytest.raises(TinylmError, match="Only word networks"):
        open_base(model())
