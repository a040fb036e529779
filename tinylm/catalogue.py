"""Which models are here: shipped ones and folders of one's own. Knows names and sizes; trains and builds nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinylm.errors import TinylmError, nearest
from tinylm.model import WITH_ROWS, Model, load_model
from tinylm.project import Project, find_project
from tinylm.resources import shipped_models_dir

# Language bytes: larger models take longer to flash and to answer, so they are taken by name.
MOST_BY_DEFAULT = 256 * 1024


@dataclass(frozen=True)
class Entry:
    """A model that can be named. `figures` are metrics.json's."""

    name: str
    folder: Path
    language: str
    kind: str
    licence: str
    language_bytes: int
    figures: dict


Fits = Callable[[Entry], bool]


def read_entry(folder: Path) -> Entry:
    """The catalogue's line of a model folder."""
    try:
        info = json.loads((folder / "model.json").read_text("utf-8"))
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
        return Entry(
            info["name"], folder, info["language"], info["kind"], info["licence"], metrics["language_bytes"], metrics
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TinylmError(f"'{folder}' is no model folder: {error}.", "See `tinylm models`.") from error


def shipped_entries() -> list[Entry]:
    """The shipped models, smallest first."""
    folders = [p.parent for p in shipped_models_dir().glob("*/model.json")]
    return sorted((read_entry(f) for f in folders), key=lambda e: (e.language_bytes, e.name))


def project_entry(project: Project | None) -> Entry | None:
    """The model that a project trained, where it did."""
    if project is None:
        return None
    folder = (
        project.folder / project.model
        if project.model and (project.folder / project.model).is_dir()
        else project.run_folder
    )
    return read_entry(folder) if (folder / "metrics.json").is_file() and (folder / "model.json").is_file() else None


def find_folder(name: str) -> Path:
    """The folder of a shipped model's name or of a path. Raises TinylmError with the nearest name."""
    shipped = {e.name: e.folder for e in shipped_entries()}
    if name in shipped:
        return shipped[name]
    if Path(name).is_dir():
        return Path(name)
    if name.endswith(".tflite"):
        raise TinylmError(f"'{name}' is no model folder.", f"Make one: tinylm adopt {name} --vocabulary WORDS.txt")
    raise TinylmError(
        f"There is no model '{name}', and no such folder.",
        nearest(name, shipped) if shipped else "Train one: tinylm train TEXT",
    )


def choose_model(name: str | None, fits: Fits | None = None, language: str = "en") -> Model:
    """The model of `choose_folder`, loaded."""
    return load_model(choose_folder(name, fits, language))


def choose_folder(name: str | None, fits: Fits | None = None, language: str = "en") -> Path:
    """The model named, else the project's own, else the largest shipped one of words of that language that `fits`
    and has at most MOST_BY_DEFAULT bytes.

    Raises TinylmError when there is none.
    """
    project = find_project()
    if name:
        return find_folder(name)
    if project and project.model:
        folder = project.folder / project.model
        return folder if folder.is_dir() else find_folder(project.model)
    own = project_entry(project)
    if own:
        return own.folder
    language = project.language if project else language
    words = [e for e in shipped_entries() if e.kind in WITH_ROWS and e.language == language]
    for entry in reversed(words):
        if entry.language_bytes <= MOST_BY_DEFAULT and (fits is None or fits(entry)):
            return entry.folder
    if not words:
        raise TinylmError(f"No shipped '{language}' model is here.", "Train one: tinylm train TEXT --budget 24K")
    least = words[0]
    raise TinylmError(
        f"No shipped '{language}' model that fits is here: the smallest, {least.name}, has {least.language_bytes:,} language bytes.",
        f"Train a smaller one: tinylm train TEXT --budget {least.language_bytes * 3 // 4 // 1024}K",
    )
