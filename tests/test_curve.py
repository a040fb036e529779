"""The curve of savings against bytes: what is on it, and that it is a picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from cli_rig import run_cli
from models import TEXT, tiny_ngram_model, tiny_word_model

from tinylm.curve import SERIES, Curve, Point, draw_curve, make_curve, read_records, short_size
from tinylm.errors import TinylmError
from tinylm.model import KINDS, write_model


def record(model: str, size: int, kss: float, kind: str = "word", **more: object) -> dict:
    texts = {"mail": {"kss": kss, "lines": 10, "characters": 400}}
    return {"model": model, "kind": kind, "language_bytes": size, "shown": 3, "mean_kss": kss, "texts": texts} | more


def test_only_what_was_measured_alike_is_on_one_curve() -> None:
    longer = record("longer", 30_000, 50.0)
    longer["texts"]["mail"]["lines"] = 11
    others = [record("learned", 30_000, 50.0, memory_bytes=1024), record("five", 30_000, 50.0, shown=5), longer]
    bar = record("a trigram", 20_000, 39.0)
    del bar["kind"]
    curve = make_curve([record("b", 24_000, 41.0), record("n", 24_000, 40.0, "ngram"), bar, *others])
    assert [(p.series, p.name) for p in curve.points] == [
        ("a trigram", "a trigram"),
        ("word network", "b"),
        ("packed n-gram (the baseline)", "n"),
    ]
    assert curve.left_out == ("learned", "five", "longer") and "10 lines" in curve.title


def test_files_of_evaluations_and_folders_with_other_files_are_read(tmp_path: Path) -> None:
    first = record("a", 1000, 30.0) | {"against": [record("b", 2000, 31.0)]}
    (tmp_path / "a.json").write_text(json.dumps(first))
    (tmp_path / "sizes.json").write_text(json.dumps({"sizes": [record("c", 3000, 32.0), {"model": "none"}]}))
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "broken.json").write_text("{")
    assert [r["model"] for r in read_records([tmp_path])] == ["a", "b", "c"]
    for name in ("list.json", "broken.json", "nowhere.json"):
        with pytest.raises(TinylmError, match=name):
            read_records([tmp_path / name])


def test_sizes_are_told_as_budgets_are() -> None:
    assert [short_size(n) for n in (512, 24_576, 1 << 20, 3 << 19)] == ["512", "24K", "1M", "1.5M"]


@pytest.mark.needs("matplotlib")
def test_a_picture_has_every_point_and_is_the_same_each_time(tmp_path: Path) -> None:
    points = [Point("word network", f"net-{i}", 1000 << i, 30.0 + i, (29.0 + i, 31.0 + i)) for i in range(4)]
    points += [Point("packed n-gram (the baseline)", "n", 4000, 31.0, None)]
    for name in ("a.svg", "b.svg", "a.png"):
        draw_curve(Curve("Mail", 3, tuple(points), ()), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    text = " ".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
    for said in ("net-0", "net-3", "packed n-gram", "KSS@3", "language bytes", "4K"):
        assert said in text


@pytest.mark.needs("cc", "matplotlib")
def test_evaluate_draws_its_models_among_earlier_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for model in (tiny_word_model(), tiny_ngram_model()):
        write_model(tmp_path / model.info.name, model)
    (tmp_path / "one.txt").write_text("\n".join(TEXT.read_text().splitlines()[200:210]))
    earlier = run_cli("evaluate", "one.txt", "-m", "tiny-ngram", "--json").out
    (tmp_path / "earlier.json").write_text(earlier)
    shown = run_cli("evaluate", "one.txt", "-m", "tiny-word", "--plot", "curve.svg", "--points", "earlier.json")
    assert shown.status == 0 and "'curve.svg' shows 2 points" in shown.err
    assert "packed n-gram" in (tmp_path / "curve.svg").read_text()
    fewer = run_cli(
        "evaluate", "one.txt", "-m", "tiny-word", "--lines", "5", "--plot", "c.png", "--points", "earlier.json"
    )
    assert "shows 1 points" in fewer.err and "Not on it" in fewer.err and "tiny-ngram" in fewer.err


def test_what_cannot_be_drawn_is_refused_before_the_long_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "tiny-word", tiny_word_model())
    (tmp_path / "one.txt").write_text("the hut\n")
    command = ("evaluate", "one.txt", "-m", "tiny-word")
    assert "Name a .png or .svg" in run_cli(*command, "--plot", "curve.pdf").err
    assert run_cli(*command, "--points", "a.json").status == 2
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shown = run_cli(*command, "--plot", "curve.png")
    assert shown.status == 1 and "pip install 'tinylm[plot]'" in shown.err and not (tmp_path / "curve.png").exists()


def test_every_kind_of_model_has_a_series() -> None:
    assert set(SERIES) == set(KINDS)
