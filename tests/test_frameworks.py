"""Projects for Arduino, ESP-IDF and PlatformIO: complete, the same everywhere, compiled for their chips; made by the real tools
where these are."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from cli_rig import run_cli
from conftest import need
from frameworks_rig import (
    BOARDS,
    PAIRS,
    TFLM_PAIRS,
    compile_project,
    find_missing_headers,
    list_code,
    write_project,
)
from models import tiny_word_model

from tinylm.board import load_board
from tinylm.ecosystems import KEYBOARDS
from tinylm.errors import TinylmError
from tinylm.espidf import IDF
from tinylm.frameworks import BY_NAME, framework_board
from tinylm.model import write_model
from tinylm.project import FRAMEWORKS

ALL = pytest.mark.parametrize(("name", "board"), PAIRS, ids=lambda value: value)
WHEEL = pytest.mark.needs("tflite_micro")


def files_in(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_project_file_and_the_command_know_the_same_frameworks() -> None:
    assert ("native", *BY_NAME) == FRAMEWORKS


@ALL
def test_a_project_has_every_header_and_is_the_same_wherever_it_is_written(
    name: str, board: str, tmp_path: Path
) -> None:
    first = write_project(name, board, tmp_path / "a")
    assert find_missing_headers(name, first) == []
    assert files_in(first) == files_in(write_project(name, board, tmp_path / "b" / "c"))
    for path, content in files_in(first).items():
        assert not re.search(rb"(?<![*/.\w)])/(?:tmp|work|home|root|usr)/|20\d\d-\d\d-\d\d", content), path
        assert ".section .hot" not in content.decode("utf-8", "replace"), path  # of no framework's link script
    for folder in {path.parent for path in list_code(first)}:  # some file systems know no case
        names = [path.name.lower() for path in folder.iterdir()]
        assert len(set(names)) == len(names)


@ALL
def test_a_projects_code_compiles_for_its_cpu_without_a_warning(name: str, board: str, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    project = write_project(name, board, tmp_path / "made")
    if name != BOARDS[board]:  # compiled with the other framework's project
        core = next(project.rglob("core"))
        assert files_in(core) == files_in(next(write_project(BOARDS[board], board, tmp_path / "other").rglob("core")))
        for path in [path for path in core.iterdir() if path.suffix != ".h"]:
            path.unlink()
    compile_project(name, load_board(board), project, tmp_path / "objects")


@WHEEL
@pytest.mark.parametrize(("name", "board"), TFLM_PAIRS, ids=lambda value: value)
def test_a_project_around_tensorflow_lite_micro_compiles_too(name: str, board: str, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    project = write_project(name, board, tmp_path / "made", tflm=True)
    (glue,) = project.rglob("tflm.cpp")
    assert "tflite::MicroInterpreter" in glue.read_text() and find_missing_headers(name, project) == []
    if name == "espidf":
        manifest = (project / "components/tinylm/idf_component.yml").read_text()
        assert re.search(r'^  espressif/esp-tflite-micro: "==\d+\.\d+\.\d+"$', manifest, re.MULTILINE)
        assert '"core/tflm.cpp"' in (project / "components/tinylm/CMakeLists.txt").read_text()
    compile_project(name, load_board(board), project, tmp_path / "objects")


@ALL
def test_a_readme_has_the_commands_and_every_program(name: str, board: str, tmp_path: Path) -> None:
    project = write_project(name, board, tmp_path / "made")
    readme = (project / "README.md").read_text()
    about = BY_NAME[name].about(load_board(board))
    names = ["Typing", *(["BleKeyboard"] if name == "espidf" else [])]
    if name != "espidf":
        names = [*about.sketches, *([KEYBOARDS[about.keyboard].sketch] if about.keyboard else [])]
    for program in names:
        assert f"\n**{program}**: " in readme
        assert name != "arduino" or f"arduino-cli compile TinyLM/examples/{program}\n" in readme
        assert name != "platformio" or f"pio run -e {program.lower()} -t upload\n" in readme
    assert name != "espidf" or f"idf.py set-target {about.target}\n    idf.py -p PORT flash\n" in readme
    assert f"tinylm build --framework {name} --board {board}" in readme
    assert "\n\n\n" not in readme and all(line == line.rstrip() for line in readme.splitlines())


@pytest.mark.parametrize("board", [board for name, board in PAIRS if name == "platformio"])
def test_a_platformio_project_pins_its_platform_and_has_an_environment_a_program(board: str, tmp_path: Path) -> None:
    project = write_project("platformio", board, tmp_path / "made")
    said = configparser.ConfigParser()
    said.read(project / "platformio.ini")
    assert re.search(r"@\d+\.\d+\.\d+$|/download/[\d.]+/", said["env"]["platform"])
    assert said["env"]["board"] == load_board(board).platformio.board and said["env"]["framework"] == "arduino"
    environments = [section for section in said.sections() if section.startswith("env:")]
    assert said["platformio"]["default_envs"] == "typing" and "env:typing" in environments
    sources = {re.fullmatch(r"-<\*> \+<(\w+\.cpp)>", said[section]["build_src_filter"])[1] for section in environments}
    assert sources == {path.name for path in (project / "src").iterdir()} and "main.cpp" in sources
    library = json.loads((project / "lib/TinyLM/library.json").read_text())
    assert re.fullmatch(r"\d+\.\d+\.\d+", library["version"]) and library["frameworks"] == ["arduino"]
    assert all((project / "lib/TinyLM" / library["build"][key]).is_dir() for key in ("srcDir", "includeDir"))


@pytest.mark.parametrize("board", [board for name, board in PAIRS if name == "espidf"])
def test_an_esp_idf_project_names_every_source_target_and_partition(board: str, tmp_path: Path) -> None:
    project, known = write_project("espidf", board, tmp_path / "made"), load_board(board)
    component = project / "components" / "tinylm"
    named = re.findall(r'^        "(.*)"$', (component / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(
        p.relative_to(component).as_posix() for p in component.rglob("*") if p.suffix in (".c", ".cpp", ".S")
    )
    for lists in project.rglob("CMakeLists.txt"):
        assert lists.read_text().count("(") == lists.read_text().count(")")
    for place, source in ((project, "main.cpp"), (project / "keyboard", "keyboard.cpp")):
        config = (place / "sdkconfig.defaults").read_text()
        assert f'CONFIG_IDF_TARGET="{known.espidf.target}"\n' in config
        assert f"CONFIG_ESPTOOLPY_FLASHSIZE_{known.memory.flash.bytes >> 20}MB=y\n" in config
        assert (place / re.search(r'TABLE_CUSTOM_FILENAME="(.*)"', config)[1]).is_file()
        assert all(re.fullmatch(r"#.*|CONFIG_\w+=(y|n|\d+|\".*\")", line) for line in config.splitlines())
        assert f'SRCS "{source}"' in (place / "main/CMakeLists.txt").read_text() and (place / "main" / source).is_file()
        assert f'  idf: "{IDF.range}"\n' in (place / "main/idf_component.yml").read_text()
    rows = [line.split(",") for line in (project / "partitions.csv").read_text().splitlines() if line[0] != "#"]
    spans = [(int(row[3], 16), int(row[3], 16) + int(row[4], 16)) for row in rows]
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:])) and spans[-1][1] == known.memory.flash.bytes


def test_a_keyboards_reports_are_the_keys_of_a_us_layout(tmp_path: Path) -> None:
    """Against the rows of such a keyboard as they are printed on its keys, with the usages of the HID tables."""
    header = next(write_project("espidf", "esp32", tmp_path / "made").rglob("TinyLMKeys.h"))
    code = f"""#include <cstdio>
#include "{header}"
int main() {{
  for (int letter = 0; letter < 256; letter++) {{
    uint8_t report[TinyLMKeys::BYTES];
    int down = TinyLMKeys::press((char)letter, report);
    printf("%d %d %d\\n", down, report[0], report[2]);
  }}
}}
"""
    (tmp_path / "keys.cpp").write_text(code)
    subprocess.run(
        ["c++", "-std=c++17", "-Wall", "-Werror", tmp_path / "keys.cpp", "-o", tmp_path / "keys"], check=True
    )
    said = subprocess.run([tmp_path / "keys"], capture_output=True, text=True, check=True).stdout.splitlines()
    keys = {"\n": (0, 40), "\r": (0, 40), "\b": (0, 42), "\x7f": (0, 42), "\t": (0, 43), " ": (0, 44)}
    keys |= {chr(97 + i): (0, 4 + i) for i in range(26)} | {chr(65 + i): (2, 4 + i) for i in range(26)}
    for plain, shifted, usages in (
        ("1234567890", "!@#$%^&*()", range(30, 40)),
        ("-=[]\\", "_+{}|", range(45, 50)),
        (";'`,./", ':"~<>?', range(51, 57)),
    ):
        keys |= {key: (0, usage) for key, usage in zip(plain, usages, strict=True)}
        keys |= {key: (2, usage) for key, usage in zip(shifted, usages, strict=True)}
    assert said == ["1 {} {}".format(*keys[chr(i)]) if chr(i) in keys else "0 0 0" for i in range(256)]


def test_boards_and_runtimes_that_a_framework_does_not_have_are_refused_with_those_it_has() -> None:
    with pytest.raises(TinylmError, match="arduino-uno is no board of espidf") as caught:
        framework_board("espidf", load_board("arduino-uno"))
    assert "esp32, esp32c3" in caught.value.hint
    with pytest.raises(TinylmError, match="No TensorFlow Lite Micro comes with the core of arduino-mega") as caught:
        framework_board("arduino", load_board("arduino-mega"), tflm=True)
    assert "esp32" in caught.value.hint


def test_build_writes_a_project_and_says_what_to_type_next(tmp_path: Path) -> None:
    write_model(tmp_path / "tiny", tiny_word_model())
    for name, next_command in (("espidf", "idf.py build"), ("platformio", "pio run")):
        out = tmp_path / name
        done = run_cli("build", "--framework", name, "--board", "esp32", "--model", tmp_path / "tiny", "--output", out)
        assert done.status == 0, done.err
        assert f"cd {out} && {next_command}" in done.out and "was not compiled here" in done.out
        assert (out / "README.md").is_file() and json.loads((out / "build.json").read_text())["board"] == "esp32"


@pytest.mark.parametrize("board", [board for name, board in PAIRS if name == "platformio"])
def test_platformio_builds_every_program(board: str, tmp_path: Path) -> None:
    need("pio")
    project = write_project("platformio", board, tmp_path / "made")
    platform = load_board(board).platformio.platform
    if not os.environ.get("TINYLM_DOWNLOAD") and platform.partition("@")[0] not in installed_platforms():
        pytest.skip(f"{platform} is not installed: pio pkg install --global --platform {platform}")
    subprocess.run(["pio", "run", "--project-dir", project], check=True, timeout=600)


def installed_platforms() -> str:
    listed = ["pio", "pkg", "list", "--global", "--only-platforms"]
    return subprocess.run(listed, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("board", [board for name, board in PAIRS if name == "espidf"])
def test_esp_idf_builds_both_programs(board: str, tmp_path: Path) -> None:
    need("idf.py")
    project = write_project("espidf", board, tmp_path / "made")
    for folder in (project, project / "keyboard"):
        subprocess.run(["idf.py", "-C", folder, "set-target", load_board(board).espidf.target, "build"], check=True)


@pytest.mark.parametrize("board", [board for name, board in PAIRS if name == "arduino"])
def test_arduino_builds_every_sketch(board: str, tmp_path: Path) -> None:
    need("arduino-cli")
    project, known = write_project("arduino", board, tmp_path / "made"), load_board(board)
    core = known.arduino.fqbn.rsplit(":", 1)[0]
    listed = subprocess.run(["arduino-cli", "core", "list"], capture_output=True, text=True, check=False).stdout
    if not os.environ.get("TINYLM_DOWNLOAD") and ":".join(core.split(":")[:2]) not in listed:
        pytest.skip(f"the core is not installed: arduino-cli core install {core}@{known.arduino.version}")
    for sketch in sorted((project / "TinyLM" / "examples").iterdir()):
        subprocess.run(["arduino-cli", "compile", sketch], check=True, timeout=600)
