"""The curve of keystrokes saved against bytes, as a picture. Knows measured points and how to draw them; measures nothing.

A point is what `tinylm evaluate --json` says (a file may hold several: `rows_of`). Only
points of the same texts, lines, number of suggestions and memory are on one curve.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinylm.errors import TinylmError

SERIES = {
    "ngram": "packed n-gram (the baseline)",
    "word": "word network",
    "character": "character network",
    "mixture": "network and n-gram",
}
BASELINE = SERIES["ngram"]
FORMATS = (".png", ".svg")
_UNITS = ((1 << 20, "M"), (1 << 10, "K"))


@dataclass(frozen=True)
class Point:
    """A predictor that was measured. `interval`: 95 % of its mean, where that is known."""

    series: str
    name: str
    language_bytes: int
    kss: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Curve:
    """Points that compare, in order of their bytes; `left_out`: names of those that were measured otherwise."""

    title: str
    shown: int
    points: tuple[Point, ...]
    left_out: tuple[str, ...]


def read_records(paths: Iterable[Path]) -> list[dict]:
    """The evaluations in JSON files, and in the *.json of folders; what is none is passed over in folders.

    Raises TinylmError for a file that is named and holds none.
    """
    records = []
    for path in paths:
        inside = sorted(path.glob("*.json")) if path.is_dir() else [path]
        found = [record for file in inside for record in _records_of(file, path.is_dir())]
        if not found:
            raise TinylmError(
                f"'{path}' holds no evaluation.", "Write one: tinylm evaluate TEXT --model NAME --json > NAME.json"
            )
        records += found
    return records


def _records_of(file: Path, lenient: bool) -> list[dict]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        if lenient:
            return []
        raise TinylmError(f"'{file}' cannot be read: {error}.", "Name files of `tinylm evaluate --json`.") from error
    return [row for row in rows_of(content) if {"texts", "language_bytes", "mean_kss", "shown"} <= set(row)]


def rows_of(content: object) -> list[dict]:
    """Every predictor that a result tells of: those under `sizes`, else the first one and those that it was compared with."""
    if not isinstance(content, dict):
        return []
    rows = content.get("sizes", [content, *content.get("against", [])])
    return [row for row in rows if isinstance(row, dict)]


def make_curve(records: Sequence[dict]) -> Curve:
    """The curve through the first record and all that were measured as it was."""
    wanted = _measured_on(records[0])
    alike = [record for record in records if _measured_on(record) == wanted]
    points = dict.fromkeys(sorted((_point(record) for record in alike), key=lambda p: (p.language_bytes, p.name)))
    left_out = dict.fromkeys(str(record["model"]) for record in records if _measured_on(record) != wanted)
    texts = records[0]["texts"]
    named = ", ".join(texts) if len(texts) < 7 else f"{len(texts)} texts"
    memory = records[0].get("memory_bytes", 0)
    learning = f", learning in {memory:,} bytes" if memory else ""
    lines = sum(text["lines"] for text in texts.values())
    mean = "Mean of " if len(texts) > 1 else ""
    return Curve(f"{mean}{named}: {lines:,} lines{learning}", records[0]["shown"], tuple(points), tuple(left_out))


def _measured_on(record: dict) -> tuple:
    texts = sorted((name, text["lines"], text["characters"]) for name, text in record["texts"].items())
    return record["shown"], record.get("memory_bytes", 0), texts


def _point(record: dict) -> Point:
    interval = record.get("mean", {}).get("interval")
    series = SERIES.get(record.get("kind", ""), str(record["model"]))
    return Point(
        series,
        str(record["model"]),
        record["language_bytes"],
        record["mean_kss"],
        tuple(interval) if interval else None,
    )


def check_drawing(file: Path) -> None:
    """Raises TinylmError where a curve could not be drawn into `file`: to be asked before the long work."""
    if file.suffix.lower() not in FORMATS:
        raise TinylmError(
            f"'{file}' is no picture that can be drawn: it ends in '{file.suffix}'.", "Name a .png or .svg."
        )
    if not importlib.util.find_spec("matplotlib"):
        raise TinylmError("Drawing a curve needs matplotlib, which is not installed.", "pip install 'tinylm[plot]'")


def draw_curve(curve: Curve, file: Path) -> None:
    """Write the picture: bytes on a scale of doublings, KSS in %. The same points give the same bytes of SVG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, LogLocator

    matplotlib.rcParams.update({"svg.hashsalt": "tinylm", "svg.fonttype": "none"})
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    axes.set_xscale("log", base=2)
    for name in dict.fromkeys(point.series for point in curve.points):
        _draw_series(axes, name, [point for point in curve.points if point.series == name])
    axes.xaxis.set_major_locator(LogLocator(base=2, numticks=20))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: short_size(size)))
    axes.margins(x=0.1, y=0.1)
    axes.set_xlabel("language bytes")
    axes.set_ylabel(f"keystrokes saved, KSS@{curve.shown} %")
    axes.set_title(curve.title, fontsize="medium", wrap=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    try:
        figure.savefig(file, dpi=150, metadata={"Date": None} if file.suffix.lower() == ".svg" else None)
    except OSError as error:
        raise TinylmError(f"'{file}' could not be written: {error.strerror}.", "Name another file.") from error
    finally:
        pyplot.close(figure)


def _draw_series(axes: Any, name: str, points: Sequence[Point]) -> None:
    """A line through the points of one kind; networks are named, what they are measured against is dashed."""
    sizes, savings = [p.language_bytes for p in points], [p.kss for p in points]
    is_network = name in SERIES.values() and name != BASELINE
    style = {"marker": "o", "linestyle": "-"} if is_network else {"marker": "s", "markersize": 4, "linestyle": "--"}
    (line,) = axes.plot(sizes, savings, label=name, color="black" if name == BASELINE else None, **style)
    for point in points:
        if point.interval:
            axes.vlines(point.language_bytes, *point.interval, color=line.get_color(), alpha=0.5)
        if is_network:
            axes.annotate(
                point.name, (point.language_bytes, point.kss), (-6, 6), textcoords="offset points", ha="right"
            )


def short_size(size: float) -> str:
    """24576 -> '24K'."""
    return next((f"{size / unit:g}{name}" for unit, name in _UNITS if size >= unit), f"{size:g}")
