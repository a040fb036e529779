"""The step models of tests/foreign: what people's Keras and TensorFlow's converter make (tests/foreign/make.py)."""

from __future__ import annotations

from pathlib import Path

from tinylm.flatbuffer import read_tflite
from tinylm.foreign import Vocabulary, adopt, adopt_step, read_vocabulary
from tinylm.graph import Step
from tinylm.model import Model

FOLDER = Path(__file__).parent / "foreign"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.tflite")))
LETTERS = "zyxwvutsrqponmlkjihgfedcba'"  # not in our order: rows must move


def content(name: str) -> bytes:
    """The file as the converter wrote it."""
    return (FOLDER / f"{name}.tflite").read_bytes()


def step(name: str) -> Step:
    """Its rows in the file's order."""
    return adopt_step(read_tflite(content(name)))


def vocabulary() -> Vocabulary:
    """Of all of them: 29 ids."""
    return read_vocabulary("\n".join(["<s>", " ", *LETTERS]))


def model(name: str) -> Model:
    """What the engine runs: a character model."""
    return adopt(content(name), vocabulary(), name, "en", "CC0-1.0")
