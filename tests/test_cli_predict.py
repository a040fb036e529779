"""`tinylm predict`, `evaluate` and `models` on tiny models."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_rig import run_cli
from models import TEXT, tiny_character_model, tiny_lines, tiny_word_model

from tinylm.answering import LONGEST_QUERY_BYTES, MOST_CONTEXT, line_of
from tinylm.engine import HostEngine
from tinylm.language import build_language
from tinylm.model import write_model

pytestmark = pytest.mark.needs("cc")
TINYLM = [sys.executable, "-c", "from tinylm.cli import main; main()"]


@pytest.fixture(autouse=True)
def models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders tiny-word and tiny-character in the current folder."""
    folder = tmp_path_factory.mktemp("models")
    for model in (tiny_word_model(), tiny_character_model()):
        write_model(folder / model.info.name, model)
    monkeypatch.chdir(folder)
    return folder


def ask(lines: bytes, *options: str) -> list[dict]:
    """What --jsonl answers to bytes on standard input."""
    command = [*TINYLM, "predict", "--jsonl", "--model", "tiny-word", *options]
    done = subprocess.run(command, input=lines, capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def expected(line: str, count: int = 3) -> list[str]:
    """The last list that someone sees who types the last word letter by letter."""
    engine, prefix = HostEngine(tiny_word_model()), line.rpartition(" ")[2]
    engine.feed(line[: len(line) - len(prefix)])
    for letter in prefix:
        engine.suggest(count)
        engine.feed(letter)
    return engine.suggest(count)


@pytest.mark.parametrize("name", ["tiny-word", "tiny-character"])
def test_one_text_gets_words_that_continue_it(name: str) -> None:
    shown = run_cli("predict", "we are at th", "--model", name)
    assert shown.status == 0
    assert 1 <= len(shown.out.split()) <= 3 and all(word.startswith("th") for word in shown.out.split())


def test_a_program_gets_json() -> None:
    told = json.loads(run_cli("predict", "we are ", "-m", "tiny-word", "--json", "-n", "5").out)
    assert told == {"text": "we are ", "suggestions": expected("we are ", 5)}


def test_no_suggestion_is_said_in_words() -> None:
    assert run_cli("predict", "zzzzqqq", "-m", "tiny-word").out == "(no suggestion)\n"


@pytest.mark.parametrize("text", ["", " ", "a\nb\x08\x7f", "\U0001f600", "word " * 3000, "x" * 5000])
def test_any_text_gets_an_answer(text: str) -> None:
    shown = run_cli("predict", text, "-m", "tiny-word")
    assert shown.status in (0, 1) and "Traceback" not in shown.err
    assert shown.status == 0 or "longer" in shown.err


def test_a_text_and_jsonl_exclude_each_other() -> None:
    assert run_cli("predict", "--jsonl", "text").status == run_cli("predict").status == 2


def test_an_unknown_model_is_named() -> None:
    shown = run_cli("predict", "a", "-m", "nowhere")
    assert shown.status == 1 and "no model 'nowhere'" in shown.err


def test_json_lines_are_answered_in_order_and_bad_ones_in_their_place() -> None:
    queries = [
        (b'{"context": "we are", "prefix": "th"}', expected("we are th")),
        (b'{"context": "", "prefix": "w"}', expected("w")),
        (b"", None),
        (b"not json", "line 4: no query"),
        (b'{"context": "we"}', "line 5: no query"),
        (b'{"context": "", "prefix": 5}', "line 6: no query"),
        (b'{"context": null, "prefix": "a"}', "line 7: no query"),
        (b'["we", "a"]', "line 8: no query"),
        (b'{"context": "we are", "prefix": "", "count": 1}', expected("we are ", 1)),
        (b'{"context": "we", "prefix": "", "count": 9}', "line 10: count is 9"),
        (b'{"context": "we", "prefix": "", "count": true}', "line 11: count is True"),
        (b'{"context": "\\ud800", "prefix": "a"}', "line 12: "),
        (b"\xff\xfe", "line 13: no query"),
        (b"[" * 100_000, "line 14: no query"),
        (b'{"context": "", "prefix": "' + b"a" * 5000 + b'"}', "refused: "),
        (b'{"context": "one\\ntwo", "prefix": "th"}', expected("two th")),
        (b" " * LONGEST_QUERY_BYTES + b"x", "line 17: longer"),
        (b'{"context": "we are", "prefix": "th"}', expected("we are th")),
    ]
    answers = ask(b"\n".join(query for query, _ in queries))
    wanted = [answer for _, answer in queries if answer is not None]
    assert len(answers) == len(wanted)
    for answer, want in zip(answers, wanted):
        if isinstance(want, str):
            assert want in answer["error"]
        else:
            assert answer == {"suggestions": want}


def test_an_empty_input_gets_no_answer() -> None:
    assert ask(b"") == ask(b"\n\n") == []


def test_a_line_without_end_is_not_kept_in_memory() -> None:
    assert "longer" in ask(b"x" * 30_000_000)[0]["error"]


def test_many_queries_are_answered_quickly(capsys: pytest.CaptureFixture) -> None:
    queries = []
    for words in tiny_lines() * 3:
        for i, word in enumerate(words):
            queries += [{"context": " ".join(words[:i]), "prefix": word[:n]} for n in range(len(word))]
    lines = "".join(json.dumps(query) + "\n" for query in queries).encode()
    began = time.perf_counter()
    assert len(ask(lines)) == len(queries)
    with capsys.disabled():
        print(f" {len(queries) / (time.perf_counter() - began):,.0f} queries a second, start included ", end="")


def test_only_the_end_of_a_long_context_is_typed() -> None:
    line = line_of("old " * 200 + "new", "w")
    assert line.endswith("old new w") and len(line) <= MOST_CONTEXT + 2 and line.startswith("old ")
    assert line_of("first line\nsecond ", "w") == "second w"
    assert line_of("", "w") == "w" and line_of("we ", "") == "we "


@pytest.mark.parametrize("name", ["tiny-word", "tiny-character"])
def test_evaluate_shows_and_tells_the_same_figures(name: str, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "dev.txt").write_text(TEXT.read_text()[:3000])
    both = [tmp_path / "a", tmp_path / "b" / "dev.txt"]
    told = json.loads(run_cli("evaluate", *both, "-m", name, "--lines", "10", "--json").out)
    assert len(told["texts"]) == 2
    figures = next(iter(told["texts"].values()))
    assert figures["lines"] == 10 and 0 < figures["keystrokes"] <= figures["characters"]
    assert told["mean_kss"] == pytest.approx(figures["kss"])
    assert 0 < figures["bits_per_character"] < 8
    assert told["language_bytes"] == len(
        build_language((tiny_word_model, tiny_character_model)[name != "tiny-word"]()).content
    )
    shown = run_cli("evaluate", both[0], "-m", name, "--lines", "10")
    assert shown.status == 0 and f"{figures['kss']:.2f}" in shown.out and "dev" in shown.out


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"1 2 3\n", "no word in it"), (b"\xff", "not UTF-8")]
)
def test_evaluate_refuses_what_is_no_text(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "dev.txt").write_bytes(content)
    shown = run_cli("evaluate", tmp_path / "dev.txt", "-m", "tiny-word")
    assert shown.status == 1 and says in shown.err
    assert run_cli("evaluate", tmp_path / "nowhere.txt", "-m", "tiny-word").status == 1


def test_models_lists_a_projects_own_model_beside_the_shipped_ones(models: Path) -> None:
    write_model(models / "runs" / "radio", tiny_word_model())
    (models / "runs" / "radio" / "metrics.json").write_text('{"language_bytes": 9876}')
    (models / "tinylm.toml").write_text('name = "radio"\n')
    told = json.loads(run_cli("models", "--json").out)
    own = told[-1]
    assert own["name"] == "tiny-word" and own["language_bytes"] == 9876 and own["folder"].endswith("runs/radio")
    shown = run_cli("models")
    assert shown.status == 0 and "this project" in shown.out and "9,876" in shown.out
    assert json.loads(run_cli("predict", "we are ", "--json").out)["suggestions"] == expected("we are ")
    (models / "runs" / "radio" / "metrics.json").write_text("{")
    assert run_cli("models").status == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("model.json", b"{", "is damaged"),
        ("model.json", b'{"name": 1}', "is damaged"),
        ("model.json", b"[]", "is damaged"),
        (
            "model.json",
            b'{"name": "a", "kind": "word", "language": "en", "licence": "", "alphabet": 5}',
            "alphabet is 5",
        ),
        ("model.json", b"\xff", "is damaged"),
        ("vocabulary.tsv", b"a\t0\nb\n", "is damaged"),
        ("vocabulary.tsv", b"b\t0\na\t0\n", "not sorted"),
        ("vocabulary.tsv", b"a\t0\nb\t99\n", "99"),
        ("vocabulary.tsv", b"a\t0\nb\t0\n", "model.tflite has 200 rows, but the vocabulary needs 4"),
        ("model.tflite", b"cut", "no .tflite"),
    ],
)
def test_a_damaged_model_folder_is_refused(name: str, content: bytes, says: str) -> None:
    Path("tiny-word", name).write_bytes(content)
    shown = run_cli("predict", "a", "-m", "tiny-word")
    assert shown.status == 1 and says in shown.err and "Traceback" not in shown.err
    Path("tiny-word", name).unlink()
    assert f"has no {name}" in run_cli("predict", "a", "-m", "tiny-word").err
