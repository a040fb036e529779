"""`tinylm build`: a whole build or a refusal, and nothing in it that depends on the day or the place."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cli_rig import run_cli, tiny_build
from models import tiny_character_model, tiny_word_model

from tinylm.board import load_board
from tinylm.building import build, engine_sizes, plan_build, read_build, shipped_fits
from tinylm.catalogue import choose_folder, read_entry, shipped_entries
from tinylm.errors import TinylmError
from tinylm.generate import view_model, write_c
from tinylm.language import build_language
from tinylm.lexicon import FAST_WORDS
from tinylm.memory import largest_language_bytes
from tinylm.model import load_model, write_model

M4 = pytest.mark.needs("arm-none-eabi-gcc")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a model in it."""
    write_model(tmp_path / "tiny", tiny_word_model())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@M4
def test_a_build_folder_holds_what_the_design_says(here: Path) -> None:
    shown = run_cli("build", "--board", "qemu-cortex-m4", "--model", "tiny")
    assert shown.status == 0, shown.err
    folder = here / "build" / "qemu-cortex-m4"
    generated = {f"generated/{name}" for name in ("tlm_sizes.h", "model.c", "language.c", "board.h")}
    assert set(files_in(folder)) == generated | {"language.bin", "firmware.elf", "firmware.bin", "build.json"}
    told = read_build(folder)
    assert told["model_hash"] == tiny_word_model().hash
    assert told["language_bytes"] == len((folder / "language.bin").read_bytes())
    assert told["measured"]["flash_bytes"] <= told["predicted"]["flash_bytes"]
    assert told["measured"]["ram_bytes"] <= told["predicted"]["ram_bytes"]
    assert f"{told['measured']['flash_bytes']:,}" in shown.out
    assert not [p for p in (here / "build").iterdir() if p.name.startswith(".")]


@M4
def test_the_same_model_gives_the_same_bytes_wherever_it_is_built(here: Path, tmp_path_factory) -> None:
    built = tiny_build("qemu-cortex-m4")
    other = tmp_path_factory.mktemp("elsewhere") / "deep" / "down"
    build(tiny_word_model(), load_board("qemu-cortex-m4"), other, None, lambda *_: None)
    assert files_in(built) == files_in(other)
    for name, content in files_in(other).items():
        assert str(other).encode() not in content and b"/tmp" not in content, name


def test_generated_c_has_no_date_and_no_path(tmp_path: Path) -> None:
    for model in (tiny_word_model(), tiny_character_model()):
        for far in (False, True):
            view = view_model(model, build_language(model), engine_sizes(load_board("arduino-mega")))
            write_c(view, tmp_path / "generated", far)
    for path in (tmp_path / "generated").iterdir():
        text = path.read_text("ascii")
        assert not re.search(r"20\d\d-\d\d|\b\d\d:\d\d:\d\d\b|(?<![*/])/(?:tmp|work|home|root|usr)/", text), path.name
        assert all(line == line.rstrip() for line in text.splitlines()), path.name


@pytest.mark.needs("cc")
def test_a_project_needs_no_options(here: Path) -> None:
    (here / "tinylm.toml").write_text('name = "radio"\nboard = "host"\nmodel = "tiny"\n')
    told = json.loads(run_cli("build", "--json").out)
    assert told["board"] == "host" and told["model"] == "tiny-word"
    assert (here / "build" / "host" / "build.json").is_file()


def test_without_a_project_a_board_must_be_named(here: Path) -> None:
    shown = run_cli("build", "--model", "tiny")
    assert shown.status == 2 and "--board" in shown.err


def test_an_unknown_board_names_the_nearest(here: Path) -> None:
    shown = run_cli("build", "--board", "arduino-mgea", "--model", "tiny")
    assert shown.status == 1 and "arduino-mega" in shown.err


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("name = ", "no TOML"),
        ('name = "x"\nbord = "host"', "Did you mean 'board'"),
        ('name = "x"\ntext = "a.txt"', "list of texts"),
        ('name = "x"\nbudget = 256', "budget is 256"),
        ('board = "host"', "has no name"),
        ('name = "x"\nframework = "tflm"', "framework is 'tflm'"),
        ('name = "x"\nboard = "hots"', "host"),
    ],
)
def test_a_project_file_that_says_something_wrong_is_refused(here: Path, toml: str, says: str) -> None:
    (here / "tinylm.toml").write_text(toml)
    shown = run_cli("build", "--model", "tiny")
    assert shown.status == 1 and says in shown.err


@pytest.mark.needs("cc")
def test_a_folder_with_something_else_in_it_is_left_alone(here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "diary.txt").write_text("dear diary")
    shown = run_cli("build", "--board", "host", "--model", "tiny", "--output", "mine")
    assert shown.status == 1 and "holds no build" in shown.err
    shown = run_cli("build", "--board", "host", "--model", "tiny", "--output", "mine/diary.txt")
    assert shown.status == 1
    assert files_in(here / "mine") == {"diary.txt": b"dear diary"}


@pytest.mark.needs("cc")
def test_a_new_build_replaces_the_old_one_whole(here: Path) -> None:
    assert run_cli("build", "--board", "host", "--model", "tiny", "--output", "out").status == 0
    (here / "out" / "left.over").write_text("old")
    assert run_cli("build", "--board", "host", "--model", "tiny", "--output", "out").status == 0
    assert not (here / "out" / "left.over").exists()
    assert sorted(p.name for p in here.iterdir()) == ["out", "tiny"]


def test_a_model_too_big_is_refused_before_compiling_with_what_would_fit(here: Path) -> None:
    board = load_board("arduino-mega")
    small = replace(board, memory=replace(board.memory, flash=replace(board.memory.flash, bytes=20_000)))
    with pytest.raises(
        TinylmError, match=r"does not fit on arduino-mega: it needs [\d,]+ bytes of flash, [\d,]+ more"
    ) as refused:
        build(tiny_word_model(), small, here / "out", None, lambda *_: None)
    assert f"{largest_language_bytes(small):,} language bytes" in refused.value.hint
    assert not (here / "out").exists() and [p.name for p in here.iterdir()] == ["tiny"]
    tight = replace(board, memory=replace(board.memory, ram=replace(board.memory.ram, bytes=1500)))
    with pytest.raises(TinylmError, match="bytes of RAM"):
        plan_build(tiny_word_model(), tight)


def test_a_board_of_little_ram_reads_no_lexicon_whose_codes_have_tables() -> None:
    """Its reader has no code for them; no real chip has so much flash and so little RAM."""
    board = load_board("arduino-uno")
    roomy = replace(board, memory=replace(board.memory, flash=replace(board.memory.flash, bytes=1 << 20)))
    small = tiny_word_model()
    plan_build(small, roomy)
    more = dict.fromkeys(map("".join, itertools.product("abcdefgh", repeat=5)), 1) | dict(
        zip(small.words, small.levels)
    )
    words = tuple(sorted(more))
    large = replace(small, words=words, levels=tuple(map(more.get, words)), capitals=())
    with pytest.raises(TinylmError, match=rf"has {len(words):,} words.* fewer than {FAST_WORDS:,}"):
        plan_build(large, roomy)


def test_a_build_that_fails_leaves_the_old_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "out").mkdir()
    (here / "out" / "build.json").write_text("{}")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "firmware.elf")

    monkeypatch.setattr("tinylm.building.compile_firmware", full)
    shown = run_cli("build", "--board", "host", "--model", "tiny", "--output", "out")
    assert shown.status == 1 and "No space left" in shown.err and "Traceback" not in shown.err
    assert files_in(here / "out") == {"build.json": b"{}"}
    assert sorted(p.name for p in here.iterdir()) == ["out", "tiny"]


def test_the_default_model_has_256_kb_at_most() -> None:
    chosen = read_entry(choose_folder(None))
    fitting = [e for e in shipped_entries() if e.language == "en" and e.language_bytes <= 256 * 1024]
    assert chosen.name == fitting[-1].name


def test_the_default_model_fits_in_ram_as_well_as_in_flash() -> None:
    board = load_board("esp32c3")
    shipped = [entry for entry in shipped_entries() if entry.language == "en"]
    assert all(shipped_fits(entry, board) for entry in shipped)
    smallest = plan_build(load_model(shipped[0].folder), board)[1]
    stack = board.memory.ram.bytes - (smallest.ram_bytes - smallest.stack_bytes)
    tight = replace(board, memory=replace(board.memory, stack_bytes=stack))
    assert [shipped_fits(entry, tight) for entry in shipped] == [True] + [False] * (len(shipped) - 1)
    chosen = choose_folder(None, lambda entry: shipped_fits(entry, tight))
    assert chosen == shipped[0].folder
    with pytest.raises(TinylmError, match="model that fits is here"):
        choose_folder(None, lambda entry: False)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--framework", "arduino", "--toolchain", "zig"], "--toolchain zig does nothing for arduino"),
        (["--framework", "espidf", "--toolchain", "gcc"], "--toolchain gcc does nothing for espidf"),
        (["--framework", "espidf", "--runtime", "tflm", "--tflm-root", "."], "--tflm-root . does nothing for espidf"),
        (["--framework", "platformio", "--tflm-root", "."], "--tflm-root . is for --runtime tflm"),
        (["--runtime", "tflm", "--toolchain", "gcc"], "--toolchain gcc is for --runtime generated"),
        (["--tflm-root", "."], "--tflm-root . is for --runtime tflm"),
        (["--kernels", "cmsis_nn"], "--kernels cmsis_nn is for --runtime tflm --tflm-root DIR"),
    ],
)
def test_options_that_would_do_nothing_beside_each_other_are_refused(arguments: list[str], says: str) -> None:
    shown = run_cli("build", "--board", "arduino-mega", *arguments)
    assert shown.status == 2 and says in shown.err
