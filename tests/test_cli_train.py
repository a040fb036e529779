"""`tinylm train`: what bad input gets, and that it leaves nothing half-written behind."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_rig import run_cli
from models import TEXT, tiny_word_model

from tinylm.engine import HostEngine
from tinylm.errors import TinylmError
from tinylm.language import build_language
from tinylm.model import load_model, write_model, write_whole
from tinylm.training import write_arrays

pytestmark = pytest.mark.needs("tensorflow", "keras")
TINYLM = [sys.executable, "-c", "from tinylm.cli import main; main()"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "'text.txt' is empty"),
        (b"\x7fELF\0\0\0", "'text.txt' is not text: byte 4 is zero"),
        ("caf\xe9 au lait\n".encode("latin1"), "'text.txt' is not UTF-8: byte 3 is 0xe9"),
        (b"yes\nyes yes\n" * 30, "only the word 'yes'"),
        (b"1 2 3\n", "no word in it"),
        (b"just one line here\n", "Give a longer text"),
    ],
)
def test_a_text_that_is_none_is_refused_and_leaves_nothing(here: Path, content: bytes, says: str) -> None:
    (here / "text.txt").write_bytes(content)
    shown = run_cli("train", "text.txt", "--budget", "10K")
    assert shown.status == 1 and says in shown.err and "Traceback" not in shown.err
    assert [p.name for p in here.iterdir()] == ["text.txt"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["nowhere.txt"], 1, "no file or folder 'nowhere.txt'"),
        ([], 2, "No text was given"),
        ([TEXT, "--budget", "lots"], 1, "'lots' is not a number of bytes"),
        ([TEXT, "--budget", "2K"], 1, "8K to 16M"),
        ([TEXT, "--language", "klingon"], 1, "letters of the language 'klingon'"),
        ([TEXT, "--kind", "sentence"], 2, "word"),
        ([f"{TEXT}:0"], 1, "0.01 to 1000"),
        ([TEXT, "--held-out", "nowhere.txt"], 1, "no file or folder 'nowhere.txt'"),
        ([TEXT, "--epochs", "0"], 2, "0.01"),
        ([TEXT, "--leave-out", "Tom and Mary"], 1, "'Tom and Mary' is none"),
        ([TEXT, "--leave-out", "Tom's"], 1, "without an apostrophe"),
        ([TEXT, "--leave-out"], 2, "tinylm train --help"),
    ],
)
def test_options_that_make_no_sense_are_refused_and_leave_nothing(
    here: Path, arguments: list, status: int, says: str
) -> None:
    shown = run_cli("train", *arguments)
    assert shown.status == status and says in shown.err and "Traceback" not in shown.err
    assert not list(here.iterdir())


def test_a_folder_that_holds_something_else_is_left_alone(here: Path) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "diary.txt").write_text("dear diary")
    shown = run_cli("train", TEXT, "-o", "mine", "--restart")
    assert shown.status == 1 and "holds no run" in shown.err
    assert [p.name for p in (here / "mine").iterdir()] == ["diary.txt"]


def test_a_line_of_100_mb_trains_in_bounded_memory(here: Path) -> None:
    with (here / "long.txt").open("wb") as out:
        for i in range(100):
            out.write(b"".join(b"word%c and w%c " % (97 + i % 26, 97 + j % 26) for j in range(71_429)))
    code = (
        "import re; from pathlib import Path; from tinylm.preparation import *; "
        "from tinylm.corpus import ENGLISH_ALPHABET; "
        "s = Source((WeightedText(Path('long.txt')),), ENGLISH_ALPHABET); c = count_source(s, Path('.')).counts; "
        "print(c.total(), int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    words, most_mb = map(int, done.stdout.split())
    assert words >= 3 * 7_142_900 and most_mb < 150


@pytest.mark.parametrize("limit", [200, 3_000, 60_000])
def test_a_full_disk_is_a_sentence_and_nothing_half_written(here: Path, limit: int) -> None:
    """A limit on the size of files stands for the disk: too small for run.json, for the counts, for the checkpoint."""

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    (here / "text.txt").write_text("\n".join(TEXT.read_text().splitlines()[:300]))
    command = [*TINYLM, "train", "text.txt", "--budget", "12K", "--epochs", "0.05", "-o", "run"]
    done = subprocess.run(command, preexec_fn=no_room, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    assert not list(here.rglob("*.part*")) and not list(here.rglob("model.*"))


def test_a_write_that_fails_leaves_the_old_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(here / "a.txt", b"old")

    def full(self: Path, content: bytes) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(TinylmError, match="a.txt' could not be written: No space left"):
        write_whole(here / "a.txt", b"new")

    def full_too(path: Path, **_: object) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_too)
    with pytest.raises(TinylmError, match="w.npz' could not be written: No space left"):
        write_arrays(here / "w.npz", {})
    assert (here / "a.txt").read_text() == "old" and [p.name for p in here.iterdir()] == ["a.txt"]


def test_a_project_trains_its_own_text_and_restart_begins_anew(here: Path) -> None:
    (here / "texts").mkdir()
    (here / "texts" / "radio.txt").write_text("\n".join(TEXT.read_text().splitlines()[:200]))
    (here / "tinylm.toml").write_text('name = "radio"\ntext = ["texts"]\nbudget = "10K"\n')
    told = json.loads(run_cli("train", "--epochs", "0.2", "--json").out)
    assert told["run"] == "runs/radio" and told["language_bytes"] <= 10 * 1024
    shown = run_cli("evaluate", "texts", "--lines", "5")
    assert shown.status == 0 and "radio-ngram" in shown.out and "paired" in shown.out
    shown = run_cli("train", "--epochs", "0.1")
    assert shown.status == 1 and "epochs was 0.2, now 0.1" in shown.err and "--restart" in shown.err
    shown = run_cli("train", "--epochs", "0.1", "--restart")
    assert shown.status == 0 and "tinylm build" in shown.out


@pytest.fixture
def base(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model to start from, which need not talk for long."""
    monkeypatch.setattr("tinylm.base.LEAST_REHEARSAL", 4_000)
    write_model(here / "base", tiny_word_model())
    return "base"


def test_a_model_is_fine_tuned_to_the_words_of_a_text(here: Path, base: str) -> None:
    others = sorted({line.split()[0] for line in TEXT.read_text().splitlines()})
    (here / "mine.txt").write_text("".join(f"check the balun on {word}\n" for word in others))
    arguments = ("train", "mine.txt", "--from", base, "--attribution", "My own", "--json")
    told = json.loads(run_cli(*arguments).out)
    made = load_model(here / told["run"])
    assert told["language_bytes"] <= len(build_language(tiny_word_model()).content)
    assert told["fine_tuned_from"] == "tiny-word" and (made.info.licence, made.info.attribution) == (
        "CC0-1.0",
        ("My own",),
    )
    engine = HostEngine(made)
    engine.feed("check the ")
    assert "balun" in engine.suggest(3)
    first = (here / told["run"] / "model.tflite").read_bytes()
    assert run_cli(*arguments, "--restart").status == 0
    assert (here / told["run"] / "model.tflite").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "character"], "'tiny-word' is of the kind 'word', not 'character'"),
        (["--language", "de"], "'tiny-word' is of the language 'en', not 'de'"),
        (["--from", "en-257k"], "There is no model 'en-257k'"),
    ],
)
def test_what_a_base_cannot_be_is_refused_and_leaves_nothing(here: Path, base: str, arguments: list, says: str) -> None:
    shown = run_cli("train", TEXT, "--from", base, *arguments)
    assert shown.status == 1 and says in shown.err and "Traceback" not in shown.err
    assert not (here / "runs").exists()
