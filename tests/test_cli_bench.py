"""`tinylm bench`: costs and bytes of a model on emulated boards, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_rig import run_cli, tiny_build
from models import tiny_character_model, tiny_ngram_model, tiny_word_model

from tinylm.bench import TEXTS, choose_texts, is_bare, wrap_graph
from tinylm.building import read_build
from tinylm.model import Model, ModelInfo, write_model

M4 = pytest.mark.needs("arm-none-eabi-gcc", "unicorn")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a model in it, and its graph alone."""
    write_model(tmp_path / "tiny", tiny_word_model())
    (tmp_path / "graph.tflite").write_bytes(tiny_character_model().tflite)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@M4
def test_a_model_is_measured_and_its_bytes_are_those_of_the_build(here: Path) -> None:
    shown = run_cli("bench", "--board", "qemu-cortex-m4", "--model", "tiny", "--output", "found.json")
    assert shown.status == 0, shown.err
    [row] = json.loads((here / "found.json").read_text())["measured"]
    built = read_build(tiny_build("qemu-cortex-m4"))["measured"]
    assert row["flash_bytes"]["all"] == built["flash_bytes"] == sum(row["flash_bytes"]["parts"].values())
    assert row["ram_bytes"]["all"] == built["ram_bytes"] - built["stack_bytes"]
    assert all(row["flash_bytes"]["parts"][part] > 0 for part in ("model", "runtime", "engine", "link", "rest"))
    assert row["ram_bytes"]["parts"]["engine"] > row["ram_bytes"]["parts"]["link"] > 0
    cost = row["cost"]
    assert cost["step"] == cost["network"] + cost["rows"] and cost["letter 1"] > 0
    assert f"{cost['step']:,}" in shown.out and f"{cost['keystroke']:,}" in shown.out
    assert str(here) not in (here / "found.json").read_text()


@M4
def test_a_step_graph_alone_has_no_words_and_no_engine(here: Path) -> None:
    shown = run_cli("bench", "--board", "qemu-cortex-m4", "--model", "graph.tflite", "--json")
    [row] = json.loads(shown.out)["measured"]
    assert set(row["cost"]) == {"network", "rows", "step"}
    assert set(row["flash_bytes"]["parts"]) == {"model", "runtime"}


@M4
def test_what_does_not_fit_is_left_out_with_its_reason_and_the_rest_is_measured(here: Path) -> None:
    shown = run_cli("bench", "--board", "qemu-cortex-m4", "--board", "host", "--model", "tiny", "--json")
    told = json.loads(shown.out)
    assert [row["board"] for row in told["measured"]] == ["qemu-cortex-m4"]
    assert "No emulator of host counts" in told["left_out"][0]["reason"]
    assert "Left out: host" in shown.err


def test_nothing_to_measure_is_an_error_and_writes_no_file(here: Path) -> None:
    shown = run_cli("bench", "--board", "host", "--model", "tiny", "--output", "found.json")
    assert shown.status == 1 and "Nothing was measured" in shown.err
    assert not (here / "found.json").exists()


def test_an_unknown_board_gets_the_nearest_name() -> None:
    shown = run_cli("bench", "--board", "qemu-cortex-m5", "--model", "tiny")
    assert shown.status == 1 and "Did you mean" in shown.err


def test_other_alphabets_are_measured_on_words_of_their_own() -> None:
    assert choose_texts(tiny_word_model()) == choose_texts(tiny_ngram_model()) == TEXTS
    greek = Model(ModelInfo("greek", "word", "el", "CC0-1.0", "αβγ"), ("αβγ", "βγα", "γα"), (0, 0, 0), b"")
    assert choose_texts(greek) == ("αβγ ", "βγα ")
    bare = wrap_graph("graph", tiny_character_model().tflite)
    assert is_bare(bare) and choose_texts(bare) == () and not is_bare(tiny_character_model())
