"""What tests share: a missing tool skips with the command that installs it; TINYLM_REQUIRE=all makes that a failure."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tinylm.toolchain import find_tool, install_command

if TYPE_CHECKING:
    from predict_rig import Probe

INSTALL = {
    "cc": "apt-get install gcc",
    "make": "apt-get install make",
    "arm-none-eabi-gcc": "apt-get install gcc-arm-none-eabi",
    "c++": "apt-get install g++",
    "arm-none-eabi-g++": "apt-get install libstdc++-arm-none-eabi-newlib",
    "riscv64-unknown-elf-gcc": "apt-get install gcc-riscv64-unknown-elf",
    "xtensa-lx106-elf-gcc": "apt-get install gcc-xtensa-lx106",
    "avr-gcc": "apt-get install gcc-avr avr-libc",
    "arduino-core-avr": "apt-get install arduino-core-avr",
    "qemu-system-arm": "apt-get install qemu-system-arm",
    "qemu-system-avr": "apt-get install qemu-system-misc",
    "qemu-system-xtensa": "apt-get install qemu-system-misc",
    "simavr": "apt-get install simavr",
    "avrdude": "apt-get install avrdude",
    "esptool": "pip install 'tinylm[flash]'",
    "hunspell": "apt-get install hunspell hunspell-en-gb hunspell-en-us hunspell-de-de hunspell-fr",
    "rp2040js": "apt-get install nodejs npm && npm install --global rp2040js@1.4.1",
    "ziglang": "pip install 'tinylm[toolchain]'",
    "unicorn": "pip install 'tinylm[toolchain]'",
    "pyte": "pip install 'tinylm[test]'",
    "hatchling": "pip install 'tinylm[test]'",
    "matplotlib": "pip install 'tinylm[plot]'",
    "keras": "pip install 'tinylm[train]'",
    "tensorflow": "pip install 'tinylm[train]'",
    "jax": "pip install 'tinylm[test]'",
    "tflite_micro": "pip install --pre tflite-micro",
    "pio": "pip install platformio",
    "idf.py": "install ESP-IDF, then: . $IDF_PATH/export.sh",
    "arduino-cli": "install arduino-cli, as Arduino's site says",
}
_MODULES = {
    "esptool",
    "hatchling",
    "matplotlib",
    "pyte",
    "ziglang",
    "unicorn",
    "keras",
    "tensorflow",
    "jax",
    "tflite_micro",
}
_FRAMEWORK_TOOLS = {"pio", "idf.py", "arduino-cli"}
OPTIONAL = {"rp2040js", "esp-qemu-xtensa", "esp-qemu-riscv32", "renode-test", *_FRAMEWORK_TOOLS}
"""Skipped even when everything is required: npm's registry is not to be reached everywhere, a vendor's QEMU is in no package, and
frameworks' tools fetch their compilers from places of their own."""


def need(*tools: str) -> None:
    """Skip the test when a program (or Python package) is missing; fail instead when TINYLM_REQUIRE=all."""
    for tool in tools:
        if tool in OPTIONAL - _FRAMEWORK_TOOLS:
            there = find_tool(tool)
        else:
            there = importlib.util.find_spec(tool) if tool in _MODULES else shutil.which(tool)
        if not there:
            message = f"{tool} is missing: {INSTALL.get(tool) or install_command(tool)}"
            if os.environ.get("TINYLM_REQUIRE") == "all" and tool not in OPTIONAL:
                pytest.fail(message)
            pytest.skip(message)


def pytest_configure(config: pytest.Config) -> None:
    os.environ["TINYLM_STRICT"] = "1"  # warnings of compilers are errors here
    # A shell starts background jobs (CI's, say) with Ctrl-C ignored, and every program that a test starts would inherit it.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "needs(*tools): the programs or packages that a test cannot do without")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        need(*mark.args)


@pytest.fixture(scope="module", params=(1, 3))
def probe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    """The typing engine under sanitizers. With one moment of history every backspace into a finished word replays the
    line; with three few do."""
    from predict_rig import Probe, build_probe

    need("cc")
    running = Probe(build_probe(tmp_path_factory.mktemp("probe"), f"-DTLM_HISTORY={request.param}"))
    yield running
    running.close()
