"""Templates to text and to files: one way to set Jinja up for all that tinylm writes. Knows no template and no stage."""

from __future__ import annotations

from pathlib import Path

import jinja2

from tinylm.model import write_whole
from tinylm.resources import templates_dir


def render(folder: Path, template: str, **values: object) -> str:
    """The text of a template with `values`. A name that is missing is an error, never an empty place."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["c_string"] = _c_string
    environment.filters["lines"] = _lines
    return environment.get_template(template).render(values)


def write_template(template: str, path: Path, values: dict[str, object]) -> None:
    """A file from a template of templates/, whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, render(templates_dir(), template, **values).encode())


def _c_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _lines(content: bytes, width: int) -> list[bytes]:
    return [content[i : i + width] for i in range(0, len(content), width)]
