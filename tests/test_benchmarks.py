"""The scripts of benchmarks/ run, on a tiny model and a few lines; the serial proof sees a difference when there is one."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from models import TEXT, tiny_lines, tiny_mixture_model, tiny_word_model

from tinylm.engine import HostEngine
from tinylm.flatbuffer import read_tflite
from tinylm.measure import savings_of
from tinylm.model import Model, write_model
from tinylm.quantize import dequantize

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import boards  # noqa: E402
import equality  # noqa: E402
import float_loss  # noqa: E402
import learning  # noqa: E402
import prediction  # noqa: E402
import run as bench  # noqa: E402
import serial_proof  # noqa: E402
import small_budget  # noqa: E402
import text_worth  # noqa: E402
import throughput  # noqa: E402
from report import BOARDS_BEGIN, BOARDS_END, render_proofs, replace_between  # noqa: E402
from serial_proof import OneExchange, Transcript, describe_difference  # noqa: E402
from trigram import DEV, TRAIN  # noqa: E402


@pytest.fixture
def texts(tmp_path: Path) -> list[str]:
    """Options that name a folder with small dev texts, and the tiny model."""
    folder = tmp_path / "data" / "dev" / "en"
    folder.mkdir(parents=True)
    lines = TEXT.read_text("utf-8").splitlines()
    for i, name in enumerate(DEV):
        (folder / f"{name}.txt").write_text("\n".join(lines[300 + 40 * i : 340 + 40 * i]) + "\n", "utf-8")
    (folder / "user_streams").mkdir()
    for name in ("user01", "user02"):
        (folder / "user_streams" / f"{name}.txt").write_text("\n".join(lines[300:320] * 2) + "\n", "utf-8")
    write_model(tmp_path / "tiny", tiny_word_model())
    return ["--data", str(tmp_path / "data"), "--model", str(tmp_path / "tiny")]


def invoke(command: object, *arguments: object) -> str:
    done = CliRunner().invoke(command, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.needs("cc", "arm-none-eabi-gcc", "qemu-system-arm")
def test_a_board_types_dev_lines_key_for_key_as_the_host(texts: list[str], tmp_path: Path) -> None:
    results = tmp_path / "serial-tiny.json"
    said = invoke(serial_proof.command, *texts, "--lines", 5, "--json", results)
    assert "equal, key for key" in said
    found = json.loads(results.read_text())
    assert found["board_figures"] == found["host_figures"] and found["board_figures"]["lines"] == 5 * len(DEV)
    assert found["exchanges"] <= found["board_figures"]["keystrokes"] + 2 * found["board_figures"]["lines"]
    assert "qemu-cortex-m4, qemu, gcc" in render_proofs(tmp_path)
    assert str(tmp_path) not in results.read_text()


@pytest.mark.needs("cc", "arm-none-eabi-gcc", "qemu-system-arm")
def test_a_board_learns_a_user_stream_key_for_key_as_the_host(texts: list[str], tmp_path: Path) -> None:
    results = tmp_path / "serial-learning.json"
    assert "equal, key for key" in invoke(serial_proof.command, *texts, "--lines", 12, "--learn", "--json", results)
    found = json.loads(results.read_text())
    assert found["memory_bytes"] == 4096 and found["command"].endswith("--learn")
    assert "learning in 4,096 bytes" in render_proofs(tmp_path)


@pytest.mark.needs("cc")
def test_learning_is_measured_user_by_user_and_block_by_block(texts: list[str], tmp_path: Path) -> None:
    results = tmp_path / "learning.json"
    asked = ("savings", *texts[:2], "--json", results, "--only")
    invoke(learning.command, *asked, f"{texts[3]}:1K")
    invoke(learning.command, *asked, f"{texts[3]}:4K")
    small, large = json.loads(results.read_text())["measured"]
    assert (small["memory_bytes"], large["memory_bytes"], small["lines"]) == (1024, 4096, 80)
    assert small["users"]["user01"] == small["users"]["user02"] == [small["without"], small["with"]]
    assert large["with"] > large["without"] + 5 and large["blocks"] == [[large["without"], large["with"]]]
    assert f"**{large['with'] - large['without']:+.2f}**" in learning.render_savings([large])
    assert "| tiny-word | 4,096 | +" in learning.render_curves([large])


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_the_cost_of_learning_is_counted_with_a_full_memory(texts: list[str], tmp_path: Path) -> None:
    results = tmp_path / "cost.json"
    invoke(learning.command, "cost", "--only", f"{texts[3]}:qemu-cortex-m4", "--json", results)
    (row,) = json.loads(results.read_text())["measured"]
    assert row["cost"]["word, learning"] > row["cost"]["word"] and " -> " in learning.render_cost([row])


class FakeDevice:
    """Answers every edit with what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def __getattr__(self, name: str) -> object:
        return lambda *arguments: self.asked.append((name, *arguments)) or [name]


def test_an_edit_and_its_suggestions_are_one_exchange() -> None:
    device = FakeDevice()
    engine = OneExchange(device)
    engine.reset()
    assert engine.suggest(3) == ["reset"]
    engine.feed("a")
    engine.feed(" ")
    assert engine.suggest(3) == ["feed"]
    engine.accept(2)
    engine.backspace()
    engine.feed("b")
    assert engine.suggest(2) == ["feed"] and engine.suggest(3) == ["suggest"]
    assert device.asked == [("reset", 3), ("feed", "a ", 3), ("accept", 2, 0), ("backspace", 0), ("feed", "b", 2),
                            ("suggest", 3)]  # fmt: skip


def test_a_difference_is_told_with_its_line_and_act() -> None:
    transcript = Transcript(FakeDevice())
    transcript.reset()
    transcript.feed("a")
    transcript.suggest(3)
    assert transcript.acts == [("feed", "a", ["feed"]), ("suggest", 3, ["suggest"])]
    told = describe_difference(["how", "are"], transcript.acts, transcript.acts[:1])
    assert told.startswith("In 'how are', act 2: the board did ('suggest'") and told.endswith("host nothing more.")


@pytest.mark.needs("cc")
def test_throughput_is_measured_on_three_streams(texts: list[str], tmp_path: Path) -> None:
    results = tmp_path / "throughput-tiny.json"
    said = invoke(throughput.command, *texts, "--queries", 2000, "--json", results)
    assert re.search(r"tiny-word, scattered: [\d,]+ queries a second", said)
    streams = json.loads(results.read_text())["streams"]
    assert set(streams) == {"typing", "shuffled", "scattered"}
    assert all(stream["queries"] == 2000 for stream in streams.values())
    assert "| tiny-word | typing |" in render_proofs(tmp_path)


def test_the_steps_of_make_bench_can_be_listed_and_chosen(texts: list[str]) -> None:
    said = invoke(bench.command, *texts[:2], "--list")
    assert "trigram: " in said and said.splitlines()[-1].startswith("report: ")
    assert invoke(bench.command, *texts[:2], "--list", "--only", "report").count("\n") == 1
    refused = CliRunner().invoke(bench.command, [*texts[:2], "--only", "nothing"])
    assert refused.exit_code == 2 and "there are: " in refused.output


def test_what_each_text_is_worth_is_measured_and_the_page_says_what_was_found(texts: list[str], tmp_path: Path) -> None:
    cases = text_worth.plan_cases(tmp_path)
    assert {t.path.stem for t in cases[0].others} == set(TRAIN) and cases[0].own_weight == 4
    assert len({case.name for case in cases}) == len(cases) and cases[0].own_lines > 3.9 * cases[2].own_lines
    small = text_worth.replace(cases[0], others=(text_worth.WeightedText(TEXT, 2.0),), parts=(("messages", 40),))
    read = text_worth.ReadTexts(small.others, (text_worth.CHECK,))
    model = text_worth.train_ngram_case(small, read, tmp_path)
    assert model.info.kind == "ngram" and "messages" in model.words
    page = text_worth.PAGE.read_text("utf-8")
    assert text_worth.render_page(page, json.loads(text_worth.RESULTS.read_text("utf-8"))) == page


@pytest.mark.needs("cc", "tensorflow", "keras")
def test_what_a_small_budget_saves_at_most_is_of_more_words_than_fit_beside_the_same_network(tmp_path: Path) -> None:
    texts = tuple(small_budget.WeightedText(path, 1.0) for path in sorted(small_budget.OWN.glob("*.txt")))
    bench = small_budget.Bench(texts, (), (TEXT,), 20, 0.1, tmp_path, lambda *_: None)
    told: list[dict] = []
    found = small_budget.measure(bench, 9_216, (9_000, 9_600), told.append)
    ngram, mixture, fits, first, second = found["rows"]
    assert told == found["rows"] and (ngram["kind"], mixture["kind"], fits["kind"]) == ("ngram", "mixture", "word")
    assert max(row["language_bytes"] for row in (ngram, mixture, fits)) <= 9_216 < first["language_bytes"]
    assert first["network_bytes"] == fits["network_bytes"] == second["larger_than"] and first["words"] > fits["words"]
    assert second["network_bytes"] > first["network_bytes"] and second["words"] < first["words"]
    assert all(row["gain"] == row["mean_kss"] - ngram["mean_kss"] for row in (mixture, fits, first, second))


def test_the_page_of_prediction_is_what_the_results_say() -> None:
    invoke(prediction.command, "--check")


@pytest.mark.parametrize("make", [tiny_word_model, tiny_mixture_model])
def test_a_network_in_floating_point_saves_what_its_integers_save(make: Callable[[], Model]) -> None:
    model = make()
    lines = {"text": [list(words) for words in tiny_lines()[:40]]}
    floats = float_loss.measure(float_loss.FloatEngine(model, dequantize(read_tflite(model.tflite))[1]), lines)
    device = float_loss.measure(HostEngine(model), lines)
    assert abs(savings_of(floats["text"]) - savings_of(device["text"])) < 1.5
    assert sum(one == other for one, other in zip(floats["text"], device["text"])) > 0.7 * len(lines["text"])


def test_a_case_beside_another_differs_by_what_its_keys_say() -> None:
    worse = {name: np.array([(10, 6), (20, 12), (10, 6)] * 9) for name in DEV}
    better = {name: np.array([(10, 5), (20, 10), (10, 6)] * 9) for name in DEV}
    difference, margin = text_worth.compare(worse, better, DEV)
    assert difference == pytest.approx(-7.5) and 0 < margin < 2
    assert text_worth.compare(better, better, DEV) == (0.0, 0.0)


@pytest.mark.needs("cc", "tflite_micro")
def test_random_graphs_are_equal_everywhere_and_damaged_files_are_refused_or_right(tmp_path: Path) -> None:
    results, kinds = tmp_path / "equality.json", len(equality.MAKERS)
    said = invoke(equality.command, "--graphs", 2 * kinds, "--c-every", 2, "--mutations", 40, "--json", results)
    assert f"{2 * kinds} graphs, {kinds} of them in C too: 0 differences" in said
    found = json.loads(results.read_text())
    assert {name: row["in_c"] for name, row in found["graphs"]["counts"].items()} == dict.fromkeys(equality.MAKERS, 1)
    assert sum(row["refused"] + row["equal"] for row in found["damaged"]["counts"].values()) == 40


@pytest.mark.needs("tflite_micro")
def test_a_difference_between_reference_and_oracle_and_a_hang_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    step, content = equality.draw_step("LSTM", 5), equality.sound_files()["LSTM"]
    assert equality.oracle_agrees(step, 5) and equality.judge_file(content, 5) == "equal"
    monkeypatch.setattr(equality, "LIMIT_S", 1)
    monkeypatch.setattr(equality, "use_graph", lambda _: time.sleep(5))
    assert equality.judge_file(content, 5) == "TimeoutError: more than 1 s"
    right = equality.run_step

    def wrong(step: equality.Step, row: int, state: np.ndarray) -> equality.StepResult:
        found = right(step, row, state)
        return replace(found, logits=found.logits ^ 1)

    monkeypatch.setattr(equality, "run_step", wrong)
    assert not equality.oracle_agrees(step, 5)


def test_the_readme_has_the_boards_as_they_were_measured() -> None:
    readme = (BENCHMARKS.parent / "README.md").read_text("utf-8")
    table = boards.render_boards(json.loads(boards.RESULTS.read_text("utf-8")))
    assert replace_between(readme, table, BOARDS_BEGIN, BOARDS_END) == readme, "run: python benchmarks/report.py"


@pytest.mark.needs("arm-none-eabi-gcc", "unicorn")
def test_a_board_is_measured_and_the_others_rows_stay(texts: list[str], tmp_path: Path) -> None:
    results = tmp_path / "boards.json"
    kept = {"board": "microbit", "flash_bytes": 1, "ram_bytes": 1, "images": {"hex": 1}, "build_cpu_s": 1.0}
    results.write_text(json.dumps({"model": "tiny-word", "boards": [kept]}))
    invoke(boards.command, "--board", "nrf52840dk", "--model", texts[3], "--results", results)
    found = json.loads(results.read_text())
    assert found["boards"][0] == kept and found["boards"][1]["cost"]["keystroke"] > 0
    measured = found["boards"][1]
    assert measured["images"]["bin"] > measured["flash_bytes"] and set(measured["images"]) == {"hex", "bin"}
    rows = boards.render_boards(found).splitlines()[2:]
    assert "the real board | not seen |" in rows[0] and "unicorn: the CPU and image only" in rows[1]
