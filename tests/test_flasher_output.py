"""What flashing programs say becomes percentages and plain words. tests/test_flashing_*.py has the programs themselves."""

from __future__ import annotations

import pytest

from tinylm.flasher_output import OutputReader, explain_failure


def read_pieces(*pieces: bytes) -> tuple[OutputReader, list[tuple[str, int]]]:
    reported = []
    reader = OutputReader(lambda stage, done, total, note: reported.append((stage, done)))
    for piece in pieces:
        reader.push(piece)
    return reader, reported


def test_a_bar_that_is_drawn_again_is_followed_and_kept_once() -> None:
    reader, reported = read_pieces(
        b"Writing at 0x0 [=>  ] 12.5% 1/8\rWriting at 0x4000 [==> ] 50", b".0% 4/8\r\nHash\n"
    )
    assert reported[0] == ("writing", 12) and reported[-1] == ("writing", 50)
    assert reader.text == "Writing at 0x4000 [==> ] 50.0% 4/8\nHash"


def test_a_bar_without_numbers_is_counted() -> None:
    _, reported = read_pieces(b"Writing | ", b"#" * 10, b"#" * 40)
    assert reported == [("writing", 20), ("writing", 100)]
    _, reported = read_pieces(b"[---|---|---|---|---|---|---|---|---|----]\n[", b"=" * 20)
    assert reported[-1] == ("write", 50)


def test_a_character_cut_in_two_is_read_whole() -> None:
    reader, _ = read_pieces("é".encode()[:1], "é".encode()[1:])
    assert reader.text == "é"


@pytest.mark.parametrize(
    ("tool", "said", "happened"),
    [
        ("esptool", "This chip is ESP32-S3, not ESP32-C3. Wrong chip argument?", "is ESP32-S3; my-board has ESP32-C3"),
        ("esptool", "Failed to connect to ESP32-C3: No serial data received.", "listens for a new image"),
        ("esptool", "A fatal error occurred: The chip stopped responding.", "went away"),
        ("avrdude", "avrdude: device signature = 0x1e950f (probably m328p)\nError: expected signature for ATmega2560 is",
         "signature 1e950f (probably m328p); my-board has ATmega2560"),
        ("avrdude", "stk500_getsync() attempt 10 of 10: not in sync: resp=0x00", "No boot loader answers"),
        ("avrdude", "avrdude: verification error, first mismatch at byte 0x0000", "is not the image"),
        ("bossac", "Set binary mode\nNo device found on ttyACM0", "No boot loader that bossac knows answers"),
        ("pyocd", "0001 E No target device available [load_cmd]", "No debug probe is attached"),
        ("pyocd", "Target type 'nrf52840' not recognized.", "pyOCD does not know the chip nrf52840"),
    ],
)  # fmt: skip
def test_a_failure_that_is_known_is_said_in_plain_words(tool: str, said: str, happened: str) -> None:
    reader, _ = read_pieces(f"{tool} v9\n{said}\n".encode())
    error = explain_failure(tool, reader, 1, "my-board", "/dev/ttyX", "Hold BOOT.")
    assert happened in error.message and error.hint


def test_a_failure_that_is_not_known_is_shown_as_the_program_said_it() -> None:
    reader, _ = read_pieces(b"one\n\ntwo {braces}\n")
    error = explain_failure("avrdude", reader, 3, "my-board", "/dev/ttyX", "Hold BOOT.")
    assert error.message == "avrdude failed on '/dev/ttyX' (exit code 3). It said:\none\ntwo {braces}"
    assert error.hint == "Hold BOOT."
