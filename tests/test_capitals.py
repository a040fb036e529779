"""How words are written: found in texts, kept in a model, packed in its bytes, shown by a device and left out of the measure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from cli_rig import run_cli
from models import TEXTS, tiny_ngram_model, tiny_word_model

from tinylm.answering import HostAnswers, answer_piece
from tinylm.capitals import ALL, FIRST, LOWER, find_capitals, mid_sentence_finder, read_capitals, write_word
from tinylm.corpus import ALPHABETS, ENGLISH_ALPHABET
from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.language import build_language
from tinylm.measure import type_line
from tinylm.model import Model, load_model, render_vocabulary, write_model
from tinylm.preparation import Source, WeightedText, count_source

WORDS = tiny_word_model().words


def with_capitals(model: Model, **written: str) -> Model:
    """The model whose words are written so."""
    named = {word: read_capitals(word, spelling) for word, spelling in written.items()}
    return replace(model, capitals=tuple(named.get(word, LOWER) for word in model.words))


@pytest.mark.parametrize(
    ("word", "capitals", "written"),
    [
        ("paris", FIRST, "Paris"),
        ("i'm", FIRST, "I'm"),
        ("i", FIRST, "I"),
        ("usa", ALL, "USA"),
        ("élan", FIRST, "Élan"),
        ("straße", ALL, "STRAßE"),
        ("'em", FIRST, "'em"),
        ("house", LOWER, "house"),
    ],
)
def test_a_word_is_written_in_one_of_three_ways(word: str, capitals: int, written: str) -> None:
    assert write_word(word, capitals) == written
    assert write_word(word, read_capitals(word, written)) == written


@pytest.mark.parametrize("written", ["pAris", "PAris", "paris ", "London", ""])
def test_another_spelling_is_none_of_them(written: str) -> None:
    with pytest.raises(ValueError, match=f"'{written}'"):
        read_capitals("paris", written)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("We saw Paris, then London.", ["saw", "Paris", "then", "London"]),
        ("He said. The end: A start", ["said", "end", "start"]),  # not the first of a sentence or after a colon
        ("we saw Paris and i liked it", []),  # of somebody who does not write capitals
        ("WE SAW PARIS", []),
        ('"No," she told (Tom Ford)', ["told", "Ford"]),
        ("5 apples and Tom", []),
        ("Wir sehen Ärzte", ["sehen", "Ärzte"]),
    ],
)
def test_only_words_inside_a_sentence_of_a_careful_line_are_looked_at(line: str, words: list[str]) -> None:
    assert mid_sentence_finder(ALPHABETS["de"])(line) == words


def test_four_fifths_of_the_votes_decide_and_one_vote_does_not() -> None:
    votes = {
        "Paris": 8,
        "paris": 2,
        "May": 7,
        "may": 3,
        "USA": 3,
        "Usa": 1,
        "McDonald": 2,
        "iPhone": 9,
        "Once": 1,
        "I": 5,
    }
    assert find_capitals(votes) == {"paris": FIRST, "usa": ALL, "mcdonald": FIRST, "i": FIRST}


def test_lower_case_texts_do_not_vote_and_held_out_lines_neither(tmp_path: Path) -> None:
    (tmp_path / "written.txt").write_text("We saw Paris.\nThen I saw Paris and Rome.\nThey like Rome and I do.\n")
    (tmp_path / "lower.txt").write_text("we saw paris and i saw rome here\n" * 50)
    (tmp_path / "held.txt").write_text("They like Rome and I do.\n")
    texts = tuple(WeightedText(tmp_path / f"{name}.txt") for name in ("written", "lower"))
    capitals = count_source(Source(texts, ENGLISH_ALPHABET), tmp_path).capitals
    assert capitals == {"paris": FIRST, "rome": FIRST, "i": FIRST}
    fewer = count_source(Source(texts, ENGLISH_ALPHABET, (tmp_path / "held.txt",)), tmp_path).capitals
    assert fewer == {"paris": FIRST}
    assert "\nparis\t3\tParis\n" in "\n" + (tmp_path / "vocabulary_counts.tsv").read_text()


def test_our_own_texts_have_the_capitals_of_english() -> None:
    votes, middle = Counter(), mid_sentence_finder(ENGLISH_ALPHABET)
    for path in TEXTS.glob("*.txt"):
        for line in path.read_text("utf-8").splitlines():
            votes.update(middle(line))
    found = find_capitals(votes)
    high = ["i", "i'm", "i've", "i'll", "monday", "saturday", "july", "anna", "english"]
    assert {word: found.get(word, LOWER) for word in high} == dict.fromkeys(high, FIRST)
    assert not set(found) & {"the", "we", "and", "doctor", "hello", "mum's", "boat", "water", "yes", "so"}


@pytest.mark.parametrize("model", [tiny_word_model(), tiny_ngram_model()], ids=["word", "ngram"])
def test_a_model_folder_keeps_them_and_one_without_them_is_as_before(model: Model, tmp_path: Path) -> None:
    assert "\n".join(f"{w}\t{n}" for w, n in zip(model.words, model.levels)) + "\n" == render_vocabulary(model).decode()
    capital = with_capitals(model, the="The", we="WE")
    write_model(tmp_path / "a", capital)
    assert load_model(tmp_path / "a") == capital and capital.hash != model.hash
    assert "\tThe\n" in (tmp_path / "a" / "vocabulary.tsv").read_text()
    write_model(tmp_path / "b", replace(model, capitals=()))
    assert load_model(tmp_path / "b") == model
    more = len(build_language(capital).content) - len(build_language(model).content)
    assert 0 <= more <= 64


def test_a_spelling_that_is_no_spelling_of_the_word_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path, tiny_word_model())
    path = tmp_path / "vocabulary.tsv"
    path.write_text(path.read_text().replace("the\t0\n", "the\t0\ttHE\n"))
    with pytest.raises(TinylmError, match="'tHE' is not 'the'"):
        load_model(tmp_path)


@pytest.mark.needs("cc")
@pytest.mark.parametrize("model", [tiny_word_model(), tiny_ngram_model()], ids=["word", "ngram"])
def test_the_device_writes_capitals_and_saves_the_same_keys(model: Model, tmp_path: Path) -> None:
    everything = replace(model, capitals=tuple(i % 3 for i in range(len(model.words))))
    lines = [line.lower().split() for line in ("we are at the hut", "the weather is good", "where are you")]
    plain, capital = HostEngine(model), HostEngine(everything)
    written = {word: write_word(word, high) for word, high in zip(everything.words, everything.capitals)}
    for words in lines:
        saved = [type_line(engine, words, 3, written.__contains__, True) for engine in (plain, capital)]
        assert saved[0] == saved[1]
        for typed in ("", words[0] + " ", words[0][0]):
            plain.type_line(typed)
            capital.type_line(typed)
            assert capital.suggest(5) == [written[word] for word in plain.suggest(5)]


@pytest.mark.needs("cc")
def test_people_see_capitals_and_who_asks_in_lower_case_gets_words_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = tiny_word_model()
    write_model(tmp_path / "plain", model)
    write_model(tmp_path / "tiny", replace(model, capitals=(FIRST,) * len(model.words)))
    words = run_cli("predict", "we are ", "-m", "plain").out.split()
    assert run_cli("predict", "we are ", "-m", "tiny").out.split() == [word.capitalize() for word in words]
    told = json.loads(run_cli("predict", "we are ", "-m", "tiny", "--json").out)
    assert told["suggestions"] == words and told["written"] == [word.capitalize() for word in words]
    assert json.loads(run_cli("predict", "We are ", "-m", "tiny", "--json").out)["suggestions"] == told["written"]
    asked = [b'{"context": "we are", "prefix": ""}', b'{"context": "We are", "prefix": ""}']
    answers = HostAnswers(HostEngine(load_model(tmp_path / "tiny")))
    lower, written = map(json.loads, answer_piece(answers, asked, 1, 3).splitlines())
    assert lower == {"suggestions": words, "written": told["written"]} and written == {"suggestions": told["written"]}
    plain, high = (
        run_cli("type", "--host", "-m", name, "--no-learn", typed=b"we are at the hut\n").out.splitlines()[0]
        for name in ("plain", "tiny")
    )
    assert plain != high and plain == high.lower()
