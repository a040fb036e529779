"""The programs of a framework's project, as its README tells them: their names, and what a person types and sees."""

from __future__ import annotations

from dataclasses import dataclass

from tinylm.component import ComponentView

_SUGGESTIONS = "each key prints a line with the likeliest words"
_ABOUT = {
    "Words": f"type a sentence: {_SUGGESTIONS}. It is the class alone, without tinylm's protocol.",
    "UsbKeyboard": "type in the monitor: each key prints the line and the likeliest words. 1, 2 or 3 takes one: the board is a USB "
    "keyboard too, and types the missing letters into the window in front, the monitor.",
    "BleKeyboard": "pair your phone or another computer with the Bluetooth keyboard TinyLM, open a note there, and type in the "
    f"monitor here: {_SUGGESTIONS}, and what you type appears in the note. 1, 2 or 3 takes a word.",
}
_TYPING = "`tinylm type --port PORT` draws a line to type on and three words below it; keys 1, 2 and 3 take one"
_ALONE = "So does the monitor, without tinylm on the computer."
_PROGRAMS_ONLY = "(This board's memory is too small for people in a monitor: programs alone speak with it.)"


@dataclass(frozen=True)
class Program:
    """`file`: where it is in the project; `environment`: its name in PlatformIO."""

    name: str
    file: str
    about: str

    @property
    def environment(self) -> str:
        return self.name.lower()


def describe_program(name: str, file: str, view: ComponentView) -> Program:
    """A program by the name of its sketch."""
    if name == "Typing":
        return Program(name, file, f"{_TYPING}. {_ALONE if view.people else _PROGRAMS_ONLY}")
    return Program(name, file, _ABOUT[name])
