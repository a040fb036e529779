"""A wheel of this checkout, installed elsewhere, does without the checkout; and help is quick because it loads little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from models import tiny_word_model

from tinylm.cli import COMMANDS
from tinylm.model import write_model

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("tensorflow", "keras", "numpy", "serial", "jinja2", "rich", "unicorn", "ziglang", "elftools", "flatbuffers")
LOADED = """
import sys
from tinylm.cli import main
try:
    main()
except SystemExit as leaving:
    assert not leaving.code, leaving.code
print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""


def files_of(folder: Path) -> set[str]:
    """Paths of all files, relative to the folder above."""
    return {
        path.relative_to(folder.parent).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from conftest import need

    need("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, timeout=100, stdin=subprocess.DEVNULL)
    return next(folder.glob("tinylm-*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of a new environment with the wheel in it. What tinylm depends on is found where these tests find it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=100)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, timeout=100)
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    # A folder named in a .pth is only a folder to import from: the checkout's own .pth in it is not read.
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in sorted(paths)))
    return folder / "bin"


def run(program: Path, *arguments: object, folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [program, *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_carries_firmware_templates_boards_and_models(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"tinylm/_share/{name}" for part in ("firmware", "templates") for name in files_of(ROOT / part)}
    wanted |= files_of(ROOT / "tinylm")
    assert any("/boards/" in name for name in wanted) and any("project" in name for name in wanted)
    assert wanted - inside == set()
    others = {name for name in inside - wanted if ".dist-info/" not in name}
    assert others == set(), "the wheel holds what the checkout does not"


@pytest.mark.needs("arm-none-eabi-gcc")
def test_an_installed_wheel_lists_and_builds_from_any_folder(programs: Path, tmp_path: Path) -> None:
    where = run(programs / "python", "-c", "import tinylm; print(tinylm.__file__)", folder=tmp_path)
    assert where.startswith(str(programs.parent))
    tinylm = programs / "tinylm"
    boards = json.loads(run(tinylm, "boards", "--json", folder=tmp_path))
    assert {"host", "qemu-cortex-m4"} <= {board["name"] for board in boards}
    models = json.loads(run(tinylm, "models", "--json", folder=tmp_path))
    shipped = {path.parent.name for path in (ROOT / "tinylm" / "models").glob("*/model.json")}
    assert {model["name"] for model in models} == shipped
    write_model(tmp_path / "tiny", tiny_word_model())
    run(tinylm, "build", "--board", "qemu-cortex-m4", "--model", "tiny", "--output", "out", folder=tmp_path)
    assert (tmp_path / "out" / "firmware.elf").is_file()
    if shipped:
        run(tinylm, "build", "--board", "qemu-cortex-m4", folder=tmp_path)
        assert (tmp_path / "build" / "qemu-cortex-m4" / "build.json").is_file()


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code = LOADED.format(heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout, done.stderr
    loaded = done.stderr.splitlines()[-1]
    allowed = ("rich",) if len(arguments) > 1 else ()
    assert [name for name in json.loads(loaded.replace("'", '"')) if name not in allowed] == []
