"""Training on JAX: a run moves there from TensorFlow and ends with its weights but for rounding; a mixture is made whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from models import TEXT
from test_training import PLAN, SHAPE, fifteen_values, frequency_of, some_tokens

from tinylm import training
from tinylm.errors import TinylmError
from tinylm.model import load_model
from tinylm.training import train

pytestmark = pytest.mark.needs("tensorflow", "jax", "keras")
STOPPED_AT = 20  # of 100 steps


def on_jax(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, as Keras has one backend in each."""
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def train_in(folder: Path) -> None:
    """Train, or go on training, the network of these tests."""
    tokens = some_tokens()
    trained = train(SHAPE, tokens, frequency_of(tokens), PLAN, folder, grid=fifteen_values)
    np.savez(folder / "weights.npz", **trained.weights)


def weights_in(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "weights.npz") as saved:
        return dict(saved)


def test_a_run_that_tensorflow_began_ends_on_jax_with_tensorflows_weights(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("tensorflow", "jax")]
    for folder in folders:
        folder.mkdir()
    train_in(folders[0])

    def stop(step: int, total: int, loss: float) -> None:
        if step >= STOPPED_AT:
            raise KeyboardInterrupt

    tokens = some_tokens()
    with pytest.raises(KeyboardInterrupt):
        train(SHAPE, tokens, frequency_of(tokens), PLAN, folders[1], stop, grid=fifteen_values)
    on_jax("-c", f"from test_training_jax import *; train_in(Path({str(folders[1])!r}))")
    one, other = map(weights_in, folders)
    start = training.initial_weights(SHAPE, PLAN.seed, np.log(frequency_of(tokens) + 1))
    for name in SHAPE.weight_shapes:
        moved = np.abs(one[name] - start[name]).max()
        assert np.abs(one[name] - other[name]).mean() < 0.01 * moved, name


def test_a_mixture_is_made_whole_on_jax(tmp_path: Path) -> None:
    options = ("--kind", "mixture", "--budget", "16K", "--epochs", 1, "-o", tmp_path / "run")
    done = on_jax("-c", "from tinylm.cli import main; main()", "train", TEXT, *options)
    assert "drafting" in done.stderr and "the network learns" in done.stderr
    model = load_model(tmp_path / "run")
    assert model.info.kind == "mixture" and model.ngram and model.tflite


@pytest.mark.parametrize("backend, said", [("torch", "runs on tensorflow and jax"), ("jax", "is not installed")])
def test_a_backend_that_cannot_be_is_a_sentence(backend: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = training.importlib.util.find_spec
    monkeypatch.setattr(training.importlib.util, "find_spec", lambda name: None if name == "jax" else found(name))
    monkeypatch.setenv("KERAS_BACKEND", backend)
    with pytest.raises(TinylmError, match=f"KERAS_BACKEND is '{backend}'.*{said}"):
        training.choose_backend()
