"""`tinylm init`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_rig import run_cli

from tinylm.board import board_names, load_board
from tinylm.project import Project, read_project
from tinylm.resources import templates_dir


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_project_says_everything_that_a_project_can_say(here: Path) -> None:
    made = run_cli("init", "radio")
    assert made.status == 0 and "cd radio && tinylm build" in made.out
    project = read_project(here / "radio" / "tinylm.toml")
    assert project == Project(name="radio", text=("texts",), budget="64K", folder=here / "radio")
    toml = (here / "radio" / "tinylm.toml").read_text()
    for key in set(Project.__dataclass_fields__) - {"folder"}:
        lines = toml.splitlines()
        at = next(i for i, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} ="))
        assert lines[at - 1].startswith("# "), f"{key} is not explained"


def test_a_new_project_carries_a_text_of_our_own(here: Path) -> None:
    run_cli("init", "radio")
    lines = (here / "radio" / "texts" / "radio.txt").read_text("utf-8").splitlines()
    examples = Path(__file__).parents[1] / "examples" / "texts" / "en" / "radio.txt"
    assert len(lines) == 200 and len(set(lines)) == 200
    assert len(set(lines) & set(examples.read_text("utf-8").splitlines())) > 150


@pytest.mark.parametrize("board", board_names())
def test_every_board_gets_a_workflow_that_builds_and_boots_it(here: Path, board: str) -> None:
    run_cli("init", "radio", "--board", board)
    workflow = (here / "radio" / ".github" / "workflows" / "tinylm.yml").read_text()
    assert f"tinylm build --board {board}\n" in workflow
    assert (f"tinylm emulate --board {board} --check\n" in workflow) == (
        board != "esp32"
    )  # only a vendor's QEMU has it
    needs_packages = ("arduino-mega", "arduino-uno", "qemu-cortex-m55", "esp32", "nodemcu", "qemu-xtensa-de212")
    assert ("apt-get install" in workflow) == (board in needs_packages)
    flashable = load_board(board).flasher is not None
    assert ("tinylm flash" in (here / "radio" / "README.md").read_text()) == flashable


def test_an_empty_folder_is_filled(here: Path) -> None:
    (here / "radio").mkdir()
    assert run_cli("init", "radio").status == 0
    assert (here / "radio" / "tinylm.toml").is_file()
    assert (here / "radio").stat().st_mode & 0o777 == 0o755


def test_a_folder_with_something_in_it_is_refused_and_left_alone(here: Path) -> None:
    (here / "radio").mkdir()
    (here / "radio" / "note").write_text("mine")
    refused = run_cli("init", "radio")
    assert refused.status == 1 and "'radio' is there already and not empty" in refused.err
    assert os.listdir(here / "radio") == ["note"]


def test_a_file_of_that_name_is_refused(here: Path) -> None:
    (here / "radio").write_text("mine")
    assert run_cli("init", "radio").status == 1
    assert (here / "radio").read_text() == "mine"


@pytest.mark.parametrize("name", ["", ".", "../up", "Radio", "a b", "-x", "x" * 32, "ü"])
def test_a_bad_name_is_refused_with_an_example(here: Path, name: str) -> None:
    refused = run_cli("init", "--", name)
    assert refused.status == 1
    assert f"'{name}' is no project name" in refused.err and "tinylm init radio" in refused.err
    assert os.listdir(here) == []


@pytest.mark.parametrize(
    "wrong, said", [(("--board", "esp32c"), "esp32c3"), (("--budget", "5"), "8K to 16M"), (("--budget", "x"), "256K")]
)
def test_a_wrong_option_leaves_nothing(here: Path, wrong: tuple[str, str], said: str) -> None:
    refused = run_cli("init", "radio", *wrong)
    assert refused.status == 1 and said in refused.err
    assert os.listdir(here) == []


def test_a_failure_half_way_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device", "texts")

    monkeypatch.setattr("tinylm.scaffold.shutil.copytree", no_room)
    failed = run_cli("init", "radio")
    assert failed.status == 1 and "No space left on device" in failed.err
    assert os.listdir(here) == []


def test_the_templates_travel_with_the_package() -> None:
    assert (templates_dir() / "project" / "texts" / "radio.txt").is_file()
