"""Queries as JSON lines: answered in order by several engines, each as soon as the input pauses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from models import tiny_lines, tiny_word_model

from tinylm import answering
from tinylm.answering import DeviceAnswers, HostAnswers, answer_lines, line_of
from tinylm.engine import HostEngine
from tinylm.link import DeviceError


@pytest.fixture(scope="module")
def answers() -> HostAnswers:
    from conftest import need

    need("cc")
    return HostAnswers(HostEngine(tiny_word_model()))


@pytest.fixture(autouse=True, params=(1, 3))
def cpus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """As on a computer with so many CPUs."""
    monkeypatch.setattr(answering, "_cpus", lambda: request.param)
    return request.param


class Input:
    """A pipe that a program writes queries into, and the answers read from it."""

    def __init__(self, answers: answering.Answering) -> None:
        reading, self._writing = os.pipe()
        self.stream = os.fdopen(reading, "rb")
        self.told = answer_lines(answers, self.stream, 3)

    def write(self, *queries: dict) -> None:
        os.write(self._writing, b"".join(json.dumps(query).encode() + b"\n" for query in queries))

    def close(self) -> None:
        os.close(self._writing)


def queries_of(lines: list[tuple[str, ...]]) -> Iterator[dict]:
    for words in lines:
        for i, word in enumerate(words):
            for n in range(len(word)):
                yield {"context": " ".join(words[:i]), "prefix": word[:n], "count": 1 + (n + i) % 5}


def typed_letter_by_letter(engine: HostEngine, query: dict) -> list[str]:
    """The last of the lists that someone sees who types the query's prefix."""
    engine.reset()
    engine.feed(line_of(query["context"], ""))
    found = engine.suggest(query["count"])
    for letter in query["prefix"]:
        engine.feed(letter)
        found = engine.suggest(query["count"])
    return found


def test_a_query_is_answered_while_the_input_stays_open(answers: HostAnswers) -> None:
    asking = Input(answers)
    for prefix in ("w", "t", "s"):
        asking.write({"context": "we are", "prefix": prefix})
        told = json.loads(next(asking.told))
        assert told["suggestions"] and all(word.startswith(prefix) for word in told["suggestions"])
    asking.close()
    assert list(asking.told) == []


def test_many_queries_at_once_are_all_answered_before_the_input_ends(answers: HostAnswers) -> None:
    queries = list(queries_of(list(tiny_lines())))[:900]
    asking = Input(answers)
    asking.write(*queries)
    text = ""
    while text.count("\n") < len(queries):
        text += next(asking.told)
    asking.close()
    assert list(asking.told) == []


def test_answers_come_in_order_and_are_those_of_one_engine(answers: HostAnswers, tmp_path) -> None:
    queries = list(queries_of(list(tiny_lines()))) * 2
    queries[200:200] = [{"no": "query"}]
    asked = tmp_path / "queries"
    asked.write_text("\n".join(json.dumps(query) for query in queries))  # the last line has no end
    with asked.open("rb") as stream:
        told = [json.loads(line) for line in "".join(answer_lines(answers, stream, 3)).splitlines()]
    one = HostEngine(tiny_word_model())
    assert len(told) == len(queries)
    for number, (query, answer) in enumerate(zip(queries, told), 1):
        if "no" in query:
            assert answer["error"].startswith(f"line {number}: ")
            continue
        assert answer == {"suggestions": typed_letter_by_letter(one, query)}


def test_what_is_typed_at_once_knows_of_no_list_before(answers: HostAnswers) -> None:
    lines = [b"we are ", b"we are t", b"we are th", b"we are t"]
    one = HostEngine(tiny_word_model())
    for line, found in zip(lines, answers.answer(lines, b"\3\3\3\3", letter_by_letter=False)):
        one.reset()
        one.feed(line.decode())
        assert found == one.suggest(3)


def test_letters_of_two_bytes_are_typed_one_by_one_in_any_order_of_queries() -> None:
    model = replace(tiny_word_model(), info=replace(tiny_word_model().info, alphabet="'abcdefghijklmnopqrstuvwxyzéœ"))
    answers, one = HostEngine(model), HostEngine(model)
    for prefix in ("th", "é", "", "thé", "thœ", "t", "éa", "thea", "œ", "the"):
        query = {"context": "we œé", "prefix": prefix, "count": 3}
        (found,) = answers.answer([line_of("we œé", prefix).encode()], b"\3", letter_by_letter=True)
        assert found == typed_letter_by_letter(one, query)
    lines = [line_of("é", prefix) for prefix in ("t", "thé", "th", "théa", "té", "t")]
    told = answers.answer([line.encode() for line in lines], b"\3" * len(lines), letter_by_letter=True)
    for line, found in zip(lines, told):
        assert found == typed_letter_by_letter(one, {"context": "é", "prefix": line[2:], "count": 3})


def test_a_reader_that_goes_away_ends_the_work(answers: HostAnswers, tmp_path) -> None:
    asked = tmp_path / "queries"
    asked.write_text("\n".join(json.dumps(query) for query in queries_of(list(tiny_lines()))))
    with asked.open("rb") as stream:
        told = answer_lines(answers, stream, 3)
        next(told)
        told.close()
    assert answers.answer([b"we are th"], b"\1", True)


def test_a_line_too_long_for_the_engine_is_refused_alone(answers: HostAnswers) -> None:
    found = answers.answer([b"we ", b"a" * 5000, b"we "], b"\3\3\3", True)
    assert found[1] == -3 and found[0] == found[2] and isinstance(found[0], list)


class FakeDevice:
    """Suggests the line in upper case; refuses 'x'."""

    def __init__(self) -> None:
        self.line = ""

    def reset(self) -> None:
        self.line = ""

    def feed(self, text: str, count: int) -> list[str]:
        if text == "x":
            raise DeviceError(-3, "type")
        self.line += text
        return self.suggest(count)

    def suggest(self, count: int) -> list[str]:
        return [self.line.upper()] * count


def test_a_device_answers_each_query_from_an_empty_line() -> None:
    asking = Input(DeviceAnswers(FakeDevice()))
    for prefix in ("b", "", "x", 'q"'):
        asking.write({"context": "", "prefix": prefix, "count": 1})
    asking.close()
    told = [json.loads(line) for line in "".join(asking.told).splitlines()]
    assert told[0] == {"suggestions": ["b"], "written": ["B"]} and told[1] == {"suggestions": [""]}
    assert told[3] == {"suggestions": ['q"'], "written": ['Q"']}
    assert told[2]["error"].startswith("line 3: refused: ")
