"""`tinylm type`: lines by the perfect typist, keys on a real terminal."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_rig import Outcome, run_cli, tiny_build
from models import tiny_lines, tiny_word_model
from test_cli_emulate import alive, descendants, start_emulate

from tinylm.engine import HOST_MEMORY, HostEngine
from tinylm.errors import TinylmError
from tinylm.link import Device
from tinylm.measure import type_lines
from tinylm.model import write_model
from tinylm.session import BACKSPACE, CLEAR, ENTER, LITERAL, TAB, TypingSession, accept_text

TINYLM = [sys.executable, "-c", "from tinylm.cli import main; main()"]
LINES = "\n".join(" ".join(words) for words in tiny_lines()[:10]).encode()


class Person:
    """Somebody at a terminal of 80 columns and 24 rows in which a command runs."""

    def __init__(self, *arguments: object) -> None:
        import fcntl
        import pty
        import struct
        import termios

        import pyte

        self.terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._inner = inner  # kept open, to look at its settings afterwards
        self._settings = termios.tcgetattr(inner)
        self.process = subprocess.Popen(
            [*TINYLM, "type", *map(str, arguments)], stdin=inner, stdout=inner, stderr=inner, start_new_session=True
        )
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)

    def rows(self) -> list[str]:
        """The rows with something on them."""
        return [row.rstrip() for row in self._screen.display if row.strip()]

    def press(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def sees(self, text: str, within_s: float = 30) -> bool:
        """Waits until a row begins with `text`."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if any(row.startswith(text) for row in self.rows()):
                return True
            if select.select([self.terminal], [], [], 0.05)[0]:
                self._stream.feed(os.read(self.terminal, 4096))
        return False

    def leave(self, key: str) -> int:
        """Presses the last key; returns the exit status."""
        self.press(key)
        status = self.process.wait(20)
        self.sees("nothing", 0.3)
        return status

    def interrupt(self) -> int:
        """What a terminal does at Ctrl-C: SIGINT to everything in it."""
        import signal

        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(20)
        self.sees("nothing", 0.3)
        return status

    def terminal_is_as_before(self) -> bool:
        import termios

        return termios.tcgetattr(self._inner) == self._settings


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_model(tmp_path / "model", tiny_word_model())
    return tmp_path / "model"


@pytest.mark.needs("cc")
def test_lines_are_typed_as_the_measure_types_them(model: Path) -> None:
    told = json.loads(run_cli("type", "--host", "--model", model, "--json", typed=LINES).out)
    engine = HostEngine(tiny_word_model(), HOST_MEMORY)
    tally = type_lines(engine, tiny_lines()[:10], 3, lambda _: True, probe=False, learn=True)
    assert [(line["characters"], line["keys"]) for line in told["lines"]] == tally.lines
    assert told["keys"] == sum(keys for _, keys in tally.lines)
    assert told["characters"] == len(LINES) - 9


@pytest.mark.needs("cc")
def test_a_board_types_as_this_computer_does(model: Path) -> None:
    here = json.loads(run_cli("type", "--host", "--model", model, "--json", typed=LINES).out)
    board = json.loads(run_cli("type", "--board", "host", "--build", tiny_build("host"), "--json", typed=LINES).out)
    assert board["lines"] == here["lines"]


@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_a_cortex_m4_types_as_this_computer_does(model: Path) -> None:
    few = b"\n".join(LINES.split(b"\n")[:2])
    here = json.loads(run_cli("type", "--host", "--model", model, "--json", typed=few).out)
    folder = tiny_build("qemu-cortex-m4")
    board = json.loads(run_cli("type", "--board", "qemu-cortex-m4", "--build", folder, "--json", typed=few).out)
    assert board["lines"] == here["lines"] and "qemu-cortex-m4" in board["on"]


@pytest.mark.needs("cc")
def test_each_line_is_printed_with_what_suggestions_wrote(model: Path, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("Where ARE you?\n\nxyzzy\n")
    shown = run_cli("type", "--host", "--model", model, "--lines", tmp_path / "lines")
    first, second, last = shown.out.splitlines()
    assert first.replace("[", "").replace("]", "").startswith("where are you   ") and "[" in first
    assert second == "xyzzy   5 keys for 5: 0 % saved"
    assert last.startswith("2 lines on tiny-word on this computer: 18 characters, ")


@pytest.mark.needs("cc")
def test_a_port_is_typed_on_too() -> None:
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"))
    try:
        shown = run_cli("type", "--port", told["port"], typed=b"where are you")
    finally:
        process.terminate()
        process.wait()
    assert shown.status == 0 and "1 lines on tiny-word on host" in shown.out


@pytest.mark.needs("cc")
@pytest.mark.parametrize("typed, said", [(b"", "no line with a word"), (b"ok\n\xff\n", "Line 2 of the input is")])
def test_input_without_words_is_refused(model: Path, typed: bytes, said: str) -> None:
    refused = run_cli("type", "--host", "--model", model, typed=typed)
    assert refused.status == 1 and said in refused.err


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--host", "--board", "host"), "exclude each other"),
        (("--board", "host", "--model", "x"), "--model goes with --host"),
        (("--host", "--baud", "9600"), "--baud goes with --port"),
        (("--host", "--build", "x"), "--build goes with --board"),
        (("--host", "--shown", "6"), "6 is not in the range 1<=x<=5"),
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(arguments: tuple[str, ...], said: str) -> None:
    refused = run_cli("type", *arguments)
    assert refused.status == 2 and said in refused.err


def test_another_speed_of_the_line_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(url: str, baud: int) -> None:
        asked.append(baud)
        raise TinylmError("Closed.", "")

    monkeypatch.setattr("tinylm.link.open_port", refuse)
    for options in ((), ("--baud", "57600")):
        assert run_cli("type", "--port", "/dev/ttyX", *options, typed=b"we\n").status == 1
    assert asked == [115200, 57600]


class Usb:
    """A port as pyserial lists it."""

    def __init__(self, device: str, vid: int | None, pid: int | None) -> None:
        self.device, self.vid, self.pid, self.description = device, vid, pid, "a chip"

    def __lt__(self, other: Usb) -> bool:
        return self.device < other.device


def type_with_ports(monkeypatch: pytest.MonkeyPatch, *ports: Usb) -> Outcome:
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: list(ports))
    return run_cli("type", typed=b"where are you")


def test_without_a_board_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = type_with_ports(monkeypatch, Usb("/dev/ttyS0", None, None), Usb("/dev/ttyUSB9", 0x1234, 0x5678))
    assert refused.status == 1 and "No port looks like a board" in refused.err
    assert "tinylm type --board qemu-cortex-m4" in refused.err and "tinylm type --host" in refused.err


def test_several_boards_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = type_with_ports(monkeypatch, Usb("/dev/ttyX1", 0x1A86, 0x7523), Usb("/dev/ttyX0", 0x2341, 0x0042))
    assert refused.status == 1 and "2 ports may be a board: /dev/ttyX0 (a chip: arduino-mega)" in refused.err
    assert "--port /dev/ttyX0" in refused.err


@pytest.mark.needs("cc")
def test_the_only_attached_board_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"), "--pty")
    try:
        shown = type_with_ports(monkeypatch, Usb(told["port"], 0x2341, 0x0042), Usb("/dev/ttyS0", None, None))
    finally:
        process.terminate()
        process.wait()
    assert shown.status == 0 and "tiny-word on host" in shown.out


@pytest.mark.needs("cc", "pyte")
def test_a_person_types_takes_and_leaves(model: Path) -> None:
    offered = HostEngine(tiny_word_model())
    offered.feed("wh")
    words = offered.suggest(3)
    person = Person("--host", "--model", model)
    assert person.sees("0 characters, 0 keys")
    person.press("wh")
    assert person.sees(f"1 {words[0]}  2 {words[1]}  3 {words[2]}")
    person.press("2")
    assert person.sees(f"> {words[1]}") and person.sees(f"{len(words[1]) + 1} characters, 3 keys")
    person.press("\x1b[D\x1b[15~\x1bOAx\x7fé\r")
    assert person.sees(f"> {words[1]} é")
    person.press("y\t")
    assert person.sees("> y")
    assert person.leave("\x04") == 0
    assert person.rows()[-1].endswith("% saved") and person.terminal_is_as_before()


@pytest.mark.needs("cc", "pyte")
def test_ctrl_c_ends_the_emulator_too() -> None:
    person = Person("--board", "host", "--build", tiny_build("host"))
    assert person.sees("0 characters, 0 keys")
    started = descendants(person.process.pid)
    person.press("wh")
    assert person.sees("> wh")
    assert person.interrupt() == 0 and person.terminal_is_as_before()
    assert started and not any(alive(pid) for pid in started)
    assert person.rows()[-1].startswith("2 characters, 2 keys")


@pytest.mark.needs("cc", "pyte")
def test_a_board_that_goes_away_ends_the_screen_with_a_sentence() -> None:
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"))
    person = Person("--port", told["port"])
    assert person.sees("0 characters, 0 keys")
    process.kill()
    process.wait()
    time.sleep(0.3)
    person.press("w")
    assert person.sees("tinylm: The line to") and person.process.wait(20) == 1
    assert person.terminal_is_as_before()


@pytest.mark.needs("cc", "pyte")
def test_a_line_longer_than_the_screen_shows_its_end(model: Path) -> None:
    person = Person("--host", "--model", model)
    assert person.sees("0 characters")
    person.press("q" * 60 + "z" * 60)
    assert person.sees("> " + "q" * 17 + "z" * 60)
    person.press("\r")
    assert person.sees("> " + "q" * 60 + "z" * 18) and person.sees("z" * 42)
    assert person.leave("\x04") == 0


def test_a_taken_word_replaces_the_letters_that_it_began_with() -> None:
    assert accept_text("how are y", "you") == "how are you "
    assert accept_text("how are ", "you") == "how are you "
    assert accept_text("HOW", "HOWever") == "HOWever "
    assert accept_text("see-sa", "saw") == "see-saw "
    assert accept_text("we\u2019", "we're") == "we're "
    assert accept_text("", "the") == "the "


@pytest.mark.needs("cc")
def test_a_session_holds_the_line_that_the_device_holds() -> None:
    process, told = start_emulate("--board", "host", "--build", tiny_build("host"))
    try:
        with Device.open(told["port"]) as device:
            session = TypingSession(device, 3, device.identity.line_bytes)
            for key in ["w", "h", "1", "W", TAB, "(", "t", "2", BACKSPACE, "é", "y", "1", LITERAL, "1", "9", "z", "3"]:
                session.press(key)
                session.suggestions()
                assert session.line == device.line(), f"after {key!r}"
            session.press(ENTER)
            assert session.line == device.line() == ""
    finally:
        process.terminate()
        process.wait()


@pytest.mark.needs("cc")
def test_keys_that_cannot_be_obeyed_cost_nothing() -> None:
    session = TypingSession(HostEngine(tiny_word_model()), 3, 4)
    assert not session.press(BACKSPACE) and not session.press(CLEAR) and not session.press("\x01")
    for key in "qqqq":
        assert session.press(key)
    assert not session.press("q") and not session.press(TAB)
    assert (session.savings().characters, session.savings().keys) == (4, 4)


@pytest.mark.needs("cc")
def test_the_space_behind_a_last_taken_word_is_no_character() -> None:
    session = TypingSession(HostEngine(tiny_word_model()), 3, 100)
    word = session.suggestions()[0]
    session.press(TAB)
    session.press(ENTER)
    assert (session.savings().characters, session.savings().keys) == (len(word), 1)
    assert session.savings().kss == 100 * (len(word) - 1) / len(word)
