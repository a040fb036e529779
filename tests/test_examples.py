"""The examples do what their READMEs say: their commands are taken from there and run, and so are the figures."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from models import tiny_word_model

from tinylm.engine import HostEngine
from tinylm.model import load_model, write_model

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(command: str, folder: Path) -> str:
    """A command line in a shell with this Python's programs; its standard output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def commands_of(readme: str) -> list[str]:
    """The first indented block of a README."""
    block = re.search(r"\n\n((?:    .+\n)+)", readme)
    assert block
    return [line.strip() for line in block[1].splitlines()]


def bounds_of(readme: str) -> dict[str, tuple[float, float, float]]:
    """Rows of the table: name -> seen, least, most."""
    rows = re.findall(r"^\| (.+?) \| ([\d.,]+) \| ([\d.,]+) \| ([\d.,]+) \|$", readme, re.MULTILINE)
    return {name: tuple(float(v.replace(",", "")) for v in values) for name, *values in rows}


@pytest.mark.needs("cc", "keras", "tensorflow", "arm-none-eabi-gcc", "qemu-system-arm")
def test_the_radio_example_trains_measures_builds_and_types_as_its_readme_says(tmp_path: Path) -> None:
    readme = (EXAMPLES / "radio" / "README.md").read_text("utf-8")
    project = tmp_path / "examples" / "radio"
    shutil.copytree(EXAMPLES / "radio", project, ignore=shutil.ignore_patterns("runs", "build"))
    (tmp_path / "examples" / "texts" / "en").mkdir(parents=True)
    shutil.copy(EXAMPLES / "texts" / "en" / "radio.txt", tmp_path / "examples" / "texts" / "en")

    enter, *commands = commands_of(readme)
    assert enter == "cd examples/radio"
    outputs = {command: run(command, project) for command in commands}

    told = json.loads(run("tinylm evaluate check.txt --json", project))
    figures = told["texts"]["check"]
    seen = {
        "KSS@3, %": figures["kss"],
        "next word top 3, %": figures["next_word_top3"],
        "unknown words, %": figures["out_of_vocabulary"],
        "language bytes": told["language_bytes"],
    }
    bounds = bounds_of(readme)
    assert set(bounds) == set(seen)
    for name, (stated, least, most) in bounds.items():
        assert least <= stated <= most and least <= seen[name] <= most, f"{name}: {seen[name]}"

    typing = next(command for command in commands if " type " in command)
    assert "1 lines on radio on qemu-cortex-m4" in outputs[typing] and "[" in outputs[typing]
    echo = typing.partition("|")[0]
    assert outputs[typing].splitlines()[0] == run(f"{echo}| tinylm type --host", project).splitlines()[0]


@pytest.mark.needs("keras", "tensorflow", "arm-none-eabi-gcc", "qemu-system-arm")
def test_a_network_from_keras_becomes_a_keyboard_as_its_readme_says(tmp_path: Path) -> None:
    readme = (EXAMPLES / "foreign" / "README.md").read_text("utf-8")
    folder = tmp_path / "examples" / "foreign"
    shutil.copytree(EXAMPLES / "foreign", folder)
    (tmp_path / "examples" / "texts" / "en").mkdir(parents=True)
    shutil.copy(EXAMPLES / "texts" / "en" / "radio.txt", tmp_path / "examples" / "texts" / "en")

    enter, train, adopt, build, typing = commands_of(readme)
    assert enter == "cd examples/foreign"
    run(train, folder)
    assert "is a word model: 602 rows, 48 bytes of state" in run(adopt, folder)
    run(build, folder)
    assert "[" in run(typing, folder).splitlines()[0]


@pytest.mark.needs("cc", "make")
def test_the_engine_in_a_program_of_ones_own_suggests_what_tinylm_does(tmp_path: Path) -> None:
    readme = (EXAMPLES / "embed" / "README.md").read_text("utf-8")
    program = tmp_path / "embed"
    shutil.copytree(EXAMPLES / "embed", program, ignore=shutil.ignore_patterns("build", "suggest"))
    write_model(tmp_path / "tiny", tiny_word_model())

    enter, make, ask = commands_of(readme)
    assert enter == "cd examples/embed" and make == "make MODEL=en-24k"
    run("make MODEL=../tiny CFLAGS='-O1 -Wall -Wextra -Wpedantic -Werror'", program)
    typed = re.search('"(.*)"', ask)[1]
    engine, expected = HostEngine(tiny_word_model()), []
    for letter in typed:
        engine.feed(letter)
        expected.append("  ".join(engine.suggest(3)))
    assert run(ask, program).splitlines() == expected


def test_a_model_of_command_lines_completes_them(tmp_path: Path) -> None:
    train = "tinylm train texts/shell --language shell --kind ngram --budget 48K --name shell --output"
    run(f"{train} {tmp_path / 'shell'}", EXAMPLES)
    engine = HostEngine(load_model(tmp_path / "shell"))

    def suggested(line: str) -> list[str]:
        engine.reset()
        engine.feed(line)
        return engine.suggest(3)

    assert {"commit", "push"} <= set(suggested("git add -A && git "))
    assert "commit" in suggested("git co") and "install" in suggested("sudo apt ")


def test_the_first_lines_of_the_readme_are_what_is_typed_in_the_demo() -> None:
    shown = commands_of((EXAMPLES.parent / "README.md").read_text("utf-8"))[2:]
    typed = run("tinylm type --host --model en-256k --lines demo.txt", EXAMPLES).splitlines()
    assert len(shown) == 2 and shown == typed[:2]
