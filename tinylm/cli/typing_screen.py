"""A terminal in which every key counts: reads single keys and draws the line with its suggestions below."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.cells import cell_len

from tinylm.session import BACKSPACE, CLEAR, ENTER, LITERAL, TAB, TypingSession

_LEAVE = ("\x03", "\x04")  # Ctrl-C, Ctrl-D
_KEYS = {"\r": ENTER, "\n": ENTER, "\t": TAB, "\b": BACKSPACE, "\x7f": BACKSPACE, "\x15": CLEAR, "\x16": LITERAL}
_ESCAPE_S = 0.05  # a lone Escape is followed by nothing for so long; an arrow key's bytes come at once
_PROMPT = "> "


def type_interactively(session: TypingSession) -> None:
    """Every key goes to the session until Ctrl-C or Ctrl-D; the terminal is as before afterwards."""
    with _single_keys() as read_keys:
        screen = _Screen()
        try:
            _follow_keys(session, screen, read_keys)
        except KeyboardInterrupt:
            pass
        finally:  # also before the message of an error: a board that was unplugged
            screen.leave(session)


def _follow_keys(session: TypingSession, screen: _Screen, read_keys: Callable[[], list[str]]) -> None:
    screen.draw(session)
    while True:
        for key in read_keys():
            if key in _LEAVE:
                return
            _press(session, key, screen)
        screen.draw(session)


def _press(session: TypingSession, key: str, screen: _Screen) -> None:
    key = _KEYS.get(key, key)
    if key == ENTER:
        screen.end_line(session.line)
    if not session.press(key):
        screen.bell()


class _Screen:
    """Draws over its last drawing. Plain ANSI: carriage return, cursor up and right, erase below, dim, bold."""

    def __init__(self) -> None:
        sys.stdout.reconfigure(errors="replace")

    def draw(self, session: TypingSession) -> None:
        """The line, its suggestions, what was saved; leaves the cursor behind the line."""
        width = shutil.get_terminal_size().columns
        line = _end_of(session.line, width - len(_PROMPT) - 1)
        offered = _fitting(session.suggestions(), width - 1)
        saved = session.savings()
        status = f"{saved.characters} characters, {saved.keys} keys: {saved.kss:.0f} % saved   (Ctrl-D leaves)"
        below = f"\r\n{offered}\r\n\x1b[2m{status[: width - 1]}\x1b[0m"
        self._write(f"\r\x1b[J{_PROMPT}{line}{below}\x1b[2A\r\x1b[{len(_PROMPT) + cell_len(line)}C")

    def end_line(self, line: str) -> None:
        """The whole line stays on the screen."""
        self._write(f"\r\x1b[J{_PROMPT}{line}\r\n")

    def leave(self, session: TypingSession) -> None:
        """The line and the sum stay, the suggestions go."""
        saved = session.savings()
        self._write(f"\r\x1b[J{_PROMPT}{session.line}\r\n")
        self._write(f"{saved.characters} characters, {saved.keys} keys: {saved.kss:.1f} % saved\r\n")

    def bell(self) -> None:
        """A key could not be obeyed."""
        self._write("\a")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _end_of(line: str, width: int) -> str:
    """The end of a line that fits `width` columns."""
    while cell_len(line) > max(width, 1):
        line = line[1:]
    return line


def _fitting(suggestions: list[str], width: int) -> str:
    """'1 you  2 your', as many as fit, the digits bold."""
    shown, used = [], 0
    for number, word in enumerate(suggestions, 1):
        used += cell_len(f"{number} {word}  ")
        if used > width + 2:
            break
        shown.append(f"\x1b[1m{number}\x1b[0m {word}")
    return "  ".join(shown)


@contextmanager
def _single_keys() -> Iterator[Callable[[], list[str]]]:
    """Yields a function that waits for keys and returns all that have come."""
    if os.name == "nt":
        os.system("")  # switches the console to ANSI sequences
        yield _read_windows_keys
        return
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    single = termios.tcgetattr(terminal)
    single[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON)
    # Signals stay on: Ctrl-C also ends a wait for a silent device. Ctrl-Z and Ctrl-\ would leave a raw terminal behind.
    single[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    single[6][termios.VMIN], single[6][termios.VTIME] = 1, 0
    for name in ("VSUSP", "VQUIT", "VDSUSP"):
        if hasattr(termios, name):
            single[6][getattr(termios, name)] = b"\0"
    termios.tcsetattr(terminal, termios.TCSADRAIN, single)
    try:
        yield _PosixKeys(terminal).read
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


class _PosixKeys:
    """UTF-8 from a terminal, cut into keys; the sequences of arrow and function keys are dropped."""

    def __init__(self, terminal: int) -> None:
        import codecs

        self._terminal = terminal
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> list[str]:
        """Waits for the first key. The end of the terminal reads as Ctrl-D."""
        came = os.read(self._terminal, 4096)
        if not came:
            return ["\x04"]
        text = self._decoder.decode(came)
        while text.endswith("\x1b") and self._more():
            text += self._decoder.decode(os.read(self._terminal, 4096))
        return list(_without_escapes(text))

    def _more(self) -> bool:
        import select

        return bool(select.select([self._terminal], [], [], _ESCAPE_S)[0])


def _without_escapes(text: str) -> str:
    """CSI (ESC [ ... letter), SS3 (ESC O letter) and Alt sequences type nothing."""
    return re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]?|O.?|.?)", "", text, flags=re.DOTALL)


def _read_windows_keys() -> list[str]:
    import msvcrt

    keys = []
    while not keys or msvcrt.kbhit():
        key = msvcrt.getwch()
        if key in ("\0", "\xe0"):  # an arrow or function key: its number follows
            msvcrt.getwch()
        else:
            keys.append(key)
    return keys
