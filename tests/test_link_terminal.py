"""Text mode, seen as a person sees it: a VT100 of 80 columns draws what the firmware sends."""

from __future__ import annotations

import pytest
from link_rig import Firmware, compile_library

from tinylm.frames import encode_frame

pytestmark = pytest.mark.needs("cc", "pyte")
GREETING = "tinylm stub-en on stand-in, type; 1 2 3 take a suggestion"


class Terminal:
    """A person's terminal program on the device's line."""

    def __init__(self, firmware: Firmware) -> None:
        import pyte

        self._firmware = firmware
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self.bells = 0
        self._show(firmware.boot())

    def _show(self, sent: bytes) -> None:
        self.bells += sent.count(b"\a")
        self._stream.feed(sent)

    def press(self, keys: str | bytes) -> None:
        for key in keys.encode() if isinstance(keys, str) else keys:
            self._show(self._firmware.send(bytes([key])))

    def rows(self) -> list[str]:
        """The rows with something on them, without trailing spaces."""
        return [row.rstrip() for row in self._screen.display if row.strip()]

    def cursor(self) -> tuple[int, int]:
        return self._screen.cursor.y, self._screen.cursor.x


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    return Firmware(compile_library(tmp_path_factory.mktemp("link") / "link.so"))


@pytest.fixture
def terminal(firmware: Firmware) -> Terminal:
    return Terminal(firmware)


def test_a_greeting_says_what_to_do(terminal: Terminal) -> None:
    assert terminal.rows() == [GREETING, ">", "1 are  2 the  3 to"]
    assert terminal.cursor() == (1, 2)


def test_suggestions_stand_below_the_line_and_follow_the_keys(terminal: Terminal) -> None:
    terminal.press("how y")
    assert terminal.rows() == [GREETING, "> how y", "1 you  2 your  3 yes"]
    assert terminal.cursor() == (1, 7)
    terminal.press("z")
    assert terminal.rows() == [GREETING, "> how yz"]
    terminal.press("\b\x7f")
    assert terminal.rows() == [GREETING, "> how", "1 are  2 the  3 to"]


def test_a_digit_takes_what_is_on_the_screen(terminal: Terminal) -> None:
    terminal.press("y2")
    assert terminal.rows()[1] == "> your"
    terminal.press("\t")
    assert terminal.rows()[1] == "> your are"
    terminal.press("zz12")
    assert terminal.rows()[1] == "> your are zz12"
    terminal.press(" \x161\x162")
    assert terminal.rows()[1] == "> your are zz12 12"


def test_enter_ends_the_line_and_leaves_it_on_the_screen(terminal: Terminal) -> None:
    for end in ("\r", "\n", "\r\n"):
        terminal.press("hello" + end)
    assert terminal.rows() == [GREETING, "> hello", "> hello", "> hello", ">", "1 are  2 the  3 to"]


def test_the_screen_scrolls_without_losing_a_line(terminal: Terminal) -> None:
    lines = [first + second for first in "bcdfg" for second in "klmnpqrs"]
    terminal.press("\r".join(lines) + "\r")
    terminal.press("y")
    rows = terminal.rows()
    assert rows[-2:] == ["> y", "1 you  2 your  3 yes"] and terminal.cursor() == (22, 3)
    assert rows[:-2] == ["> " + line for line in lines[-22:]]


def test_letters_of_two_bytes_take_one_column(terminal: Terminal) -> None:
    terminal.press("hé")
    assert terminal.rows() == [GREETING, "> hé", "1 hélas"]
    assert terminal.cursor() == (1, 4)
    terminal.press("1\b\b\b\b\b")
    assert terminal.rows()[1] == "> h"


def test_a_line_longer_than_the_screen_shows_its_end(terminal: Terminal) -> None:
    text = "".join(f"{i:03d}," for i in range(30)).replace("1", "o").replace("2", "t").replace("3", "e")
    terminal.press(text)
    assert terminal.rows()[1] == "> " + text[-70:] and terminal.cursor() == (1, 72)
    terminal.press("\r")
    assert "".join(terminal.rows()[1:3]) == "> " + text


def test_suggestions_that_would_pass_the_edge_are_left_out(terminal: Terminal) -> None:
    terminal.press("i")
    assert terminal.rows()[2] == "1 internationalisation  2 interoperability  3 internationally"
    assert max(map(len, terminal.rows())) < 80


def test_arrow_keys_and_control_keys_type_nothing(terminal: Terminal) -> None:
    terminal.press(b"ho\x1b[A\x1b[1;5C\x1bOP\x1bx\x01\x04\x0c")
    assert terminal.rows()[1] == "> ho"
    terminal.press("\x15")
    assert terminal.rows()[1] == ">"


def test_a_bell_says_what_cannot_be_done(terminal: Terminal) -> None:
    terminal.press("\b")
    assert terminal.bells == 1
    terminal.press("x" * 301)
    assert terminal.bells == 2


def test_a_program_on_the_line_silences_the_text_until_it_leaves(terminal: Terminal, firmware: Firmware) -> None:
    firmware.send(encode_frame(b"\1\2\0"))
    assert firmware.send(b"hello\r\r?\r\n\r") == b""
    assert GREETING.encode() in firmware.send(encode_frame(b"\2\x09"))
    terminal.press("y")
    assert "> y" in terminal.rows()[-2]


def test_three_enter_keys_take_the_line_back_from_a_program_that_died(terminal: Terminal, firmware: Firmware) -> None:
    firmware.send(encode_frame(b"\1\3\0half a li"))
    terminal.press("\r\n\r\n\r")
    assert terminal.rows()[-3:] == [GREETING, ">", "1 are  2 the  3 to"]
    assert firmware.send(encode_frame(b"\1\7\0\0")).endswith(encode_frame(b"\1\x87\0\0\0"))
