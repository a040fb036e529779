"""tinylm.toml: what a project folder says of its text, language, board and budget. Knows the file; builds nothing."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tinylm.errors import TinylmError, nearest

FILE_NAME = "tinylm.toml"
FRAMEWORKS = ("native", "arduino", "espidf", "platformio")
_LISTS = ("text", "held_out")


@dataclass(frozen=True)
class Project:
    """Every key of tinylm.toml; paths are relative to its folder. An empty `model` means: the one trained here, else shipped."""

    name: str
    text: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    language: str = "en"
    kind: str = ""  # a word network, unless an n-gram is surely better
    board: str = "qemu-cortex-m4"
    budget: str = ""
    framework: str = "native"
    model: str = ""
    folder: Path = Path(".")

    @property
    def run_folder(self) -> Path:
        """Where `tinylm train` puts this project's model."""
        return self.folder / "runs" / self.name

    @property
    def build_folder(self) -> Path:
        """Where `tinylm build` puts firmware, one folder a board."""
        return self.folder / "build"


def find_project(start: Path | None = None) -> Project | None:
    """The project of the current folder, or of the nearest folder above; None where there is none."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return read_project(folder / FILE_NAME)
    return None


def read_project(path: Path) -> Project:
    """Read and check a tinylm.toml. Raises TinylmError that names the key and what is allowed."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TinylmError(
            f"'{path}' is no TOML file: {error}.", "Correct that line; `tinylm init` shows a good one."
        ) from error
    allowed = {f.name for f in dataclasses.fields(Project)} - {"folder"}
    for key, value in table.items():
        if key not in allowed:
            raise TinylmError(f"'{path}' has the unknown key '{key}'.", nearest(key, allowed))
        is_list = key in _LISTS
        if not isinstance(value, list if is_list else str) or (is_list and not all(isinstance(t, str) for t in value)):
            raise TinylmError(f"'{path}': {key} is {value!r}; a {'list of texts' if is_list else 'text'} is needed.")
    if not table.get("name"):
        raise TinylmError(f"'{path}' has no name.", 'Add a line like name = "radio".')
    _check_values(path, table)
    # A relative folder makes relative, readable paths when the command is run inside the project.
    folder = path.parent
    if folder == Path.cwd():
        folder = Path(".")
    lists = {key: tuple(table.get(key, ())) for key in _LISTS}
    return Project(**{**table, **lists}, folder=folder)


def _check_values(path: Path, table: dict) -> None:
    """What can be told without building or training anything. Imports here keep `tinylm --help` light."""
    from tinylm.board import board_names
    from tinylm.budget import parse_bytes
    from tinylm.corpus import ALPHABETS
    from tinylm.model import KINDS, NAME, NAME_RULE

    if not NAME.fullmatch(table["name"]):
        raise TinylmError(f"'{path}': name is '{table['name']}'; {NAME_RULE}.", 'For example name = "radio".')
    for key, allowed in (
        ("framework", FRAMEWORKS),
        ("kind", KINDS),
        ("language", tuple(ALPHABETS)),
        ("board", board_names()),
    ):
        if key in table and table[key] not in allowed:
            raise TinylmError(f"'{path}': {key} is '{table[key]}'.", nearest(table[key], allowed))
    if table.get("budget"):
        parse_bytes(table["budget"])
