"""The host's end: what it asks, what it makes of noise, and what it says of devices that cannot be used."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from link_rig import ROOT, Firmware, Line, Noise, StandIn, compile_library

from tinylm import link
from tinylm.errors import TinylmError
from tinylm.frames import FrameReader, encode_frame
from tinylm.link import Device, DeviceError
from tinylm.statuses import describe_status, load_statuses, status_code

pytestmark = pytest.mark.needs("cc")


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    return Firmware(compile_library(tmp_path_factory.mktemp("link") / "link.so"))


def start_device(firmware: Firmware, noise: Callable[[bytes], bytes] = bytes) -> Device:
    firmware.boot()
    line = Line(firmware.send, noise)
    device = Device(line, clock=line.clock)
    device.start()
    return device


def test_a_device_says_who_it_is(firmware: Firmware) -> None:
    identity = start_device(firmware).identity
    assert (identity.board, identity.model, identity.kind) == ("stand-in", "stub-en", "word")
    assert (identity.model_hash, identity.language_bytes) == (0xC0FFEE42, 1234)
    assert (identity.vocabulary, identity.rows, identity.state_bytes) == (13, 15, 4)
    assert (identity.max_suggestions, identity.line_bytes, identity.feed_bytes) == (5, 300, 248)
    assert (identity.protocol, identity.language_check, identity.self_test) == (1, 0, 0)


def test_one_exchange_a_keystroke(firmware: Firmware) -> None:
    device = start_device(firmware)
    assert device.feed("y", 3) == ["you", "your", "yes"]
    assert device.accept(1, 2) == ["are", "the"]
    assert device.line() == "your "
    assert device.backspace(3) == []
    assert device.suggest(1) == []
    assert device.reset(1) == ["are"]
    assert device.line() == ""


def test_a_long_line_is_typed_and_read_in_parts(firmware: Firmware) -> None:
    device = start_device(firmware)
    text = "où est la clé du café? 😀 " * 9
    device.feed("lost\r\n\n" + text)
    assert device.line() == text


def test_golden_vectors_empty_the_line(firmware: Firmware) -> None:
    device = start_device(firmware)
    device.feed("abc")
    assert device.hash(1, 2, 3) == (1 << 16) ^ (2 << 8) ^ 3
    assert device.feed("x", 1) == [] and device.line() == "x"


def test_a_refusal_names_what_was_asked_and_why(firmware: Firmware) -> None:
    device = start_device(firmware)
    with pytest.raises(DeviceError, match=r"take suggestion 0.*no suggestion was made \(TLM_ERR_EMPTY\)"):
        device.accept(0)
    with pytest.raises(DeviceError, match="make 6 suggestions: .*TLM_ERR_RANGE"):
        device.suggest(6)
    with pytest.raises(DeviceError, match="longer than the engine can hold") as caught:
        device.feed("x" * 301)
    assert caught.value.code == status_code("TLM_ERR_FULL") and device.line() == "x" * 300
    with pytest.raises(TinylmError, match="not text"):
        device.feed("\ud800")


def test_every_error_of_the_header_has_a_name_and_a_text() -> None:
    assert {s.name: c for c, s in load_statuses().items()}["TLM_ERR_UNKNOWN"] == -6
    assert all(s.text and s.code < 0 for s in load_statuses().values())
    assert "error -99" in describe_status(-99)


def play(device: Device, choose: random.Random, moves: int) -> tuple[StandIn, int]:
    """A random session, each move checked against the stand-in in Python. Returns it and how many moves were made."""
    expected = StandIn()
    for _ in range(moves):
        move = choose.choice(["feed", "feed", "feed", "backspace", "accept", "reset", "suggest"])
        count = choose.randrange(6)
        if move == "feed":
            text = "".join(choose.choice("yhetroaé \n") for _ in range(choose.randrange(1, 9)))
            expected.feed(text)
            shown = device.feed(text, count)
        elif move == "backspace" and expected.text:
            expected.backspace()
            shown = device.backspace(count)
        elif move == "accept" and expected.suggest(5) == device.suggest(5) and expected.suggested:
            rank = choose.randrange(len(expected.suggested))
            expected.accept(rank)
            shown = device.accept(rank, count)
        elif move == "reset" and choose.random() < 0.2:
            expected.reset()
            shown = device.reset(count)
        else:
            shown = device.suggest(1 + count % 5)
            count = 1 + count % 5
        assert shown == expected.suggest(count)
        if len(expected.text) > 200:
            expected.reset()
            device.reset()
    return expected, moves


@pytest.mark.parametrize("byte_rate,burst_rate", [(0, 0), (0, 0.05), (0.005, 0), (0.01, 0.05)])
def test_a_noisy_line_gives_exactly_the_same_text(firmware: Firmware, byte_rate: float, burst_rate: float) -> None:
    for seed in range(8):
        device = start_device(firmware, Noise(seed, byte_rate, burst_rate))
        expected, _ = play(device, random.Random(seed), 120)
        assert device.line() == expected.text


def test_the_same_request_is_run_once_and_a_new_one_again(firmware: Firmware) -> None:
    start_device(firmware)
    first = firmware.send(encode_frame(bytes([9, 3, 0]) + b"l"))
    assert firmware.send(encode_frame(bytes([9, 3, 0]) + b"l")) == first
    assert firmware.send(encode_frame(bytes([10, 3, 0]) + b"l")) != first
    assert FrameReader().push(firmware.send(encode_frame(bytes([11, 7, 0, 0])))) == [b"\x0b\x87\0\2\0ll"]


def test_a_late_second_answer_is_not_taken_for_the_next_one(firmware: Firmware) -> None:
    device = start_device(firmware, lambda sent: sent + sent)
    expected, _ = play(device, random.Random(1), 60)
    assert device.line() == expected.text


def test_a_restart_in_the_middle_of_a_line_is_told(firmware: Firmware) -> None:
    device = start_device(firmware)
    device.feed("hello")
    firmware.boot()
    with pytest.raises(TinylmError, match="restarted, or somebody typed"):
        device.feed(" you")


def test_a_board_that_is_booting_is_waited_for(firmware: Firmware) -> None:
    firmware.boot()
    line = Line(lambda sent: firmware.send(sent) if line.now_s > 4 else b"")
    device = Device(line, clock=line.clock)
    assert device.start().board == "stand-in" and line.now_s < 8


def test_the_greeting_of_a_board_makes_the_host_ask_at_once(firmware: Firmware) -> None:
    started = False

    def boot_later(sent: bytes) -> bytes:
        nonlocal started
        if not started and line.now_s > 2:
            started = True
            return firmware.boot()
        return firmware.send(sent) if started else b""

    line = Line(boot_later)
    Device(line, clock=line.clock).start()
    assert line.now_s < 3


def refuse(answer: Callable[[bytes], bytes]) -> TinylmError:
    line = Line(answer)
    with pytest.raises(TinylmError) as caught:
        Device(line, "/dev/ttyX", clock=line.clock).start()
    assert line.now_s < 60
    return caught.value


def answer_with(payload: bytes) -> Callable[[bytes], bytes]:
    """A device that answers every request with the same status and payload."""

    def answer(sent: bytes) -> bytes:
        request = FrameReader().push(sent)[0]
        assert request is not None
        return encode_frame(bytes([request[0], request[1] | 0x80]) + payload)

    return answer


def test_a_silent_device_is_told_with_what_to_check() -> None:
    error = refuse(lambda sent: b"")
    assert "/dev/ttyX says nothing (waited 10 s)" in error.message
    assert "powered" in error.hint and "baud rate" in error.hint


def test_a_device_that_is_something_else_is_told_with_what_it_said() -> None:
    error = refuse(lambda sent: b"$GPGGA,123519,4807.038,N\r\n")
    assert "no answer that tinylm understands" in error.message and "$GPGGA" in error.message


@pytest.mark.parametrize("seed", range(5))
def test_a_device_that_answers_noise_is_refused_in_the_end(seed: int) -> None:
    noise = random.Random(seed)
    assert "no answer that tinylm understands" in refuse(lambda sent: noise.randbytes(200)).message


def test_another_protocol_version_is_told_with_both_numbers() -> None:
    error = refuse(answer_with(b"\xfa\x07"))
    assert "speaks protocol 7; this tinylm speaks 1" in error.message


def test_firmware_of_a_later_protocol_is_refused_by_its_own_words(
    firmware: Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "PROTOCOL_VERSION", 9)
    with pytest.raises(TinylmError, match="speaks protocol 1; this tinylm speaks 9"):
        start_device(firmware)


@pytest.mark.parametrize("payload", [b"\0", b"\0\1", b"\0\1" + b"\0" * 21, b"\xfa\1"])
def test_an_identity_that_is_cut_is_refused(payload: bytes) -> None:
    assert "which protocol 1 does not allow" in refuse(answer_with(payload)).message


def test_another_model_is_told_with_both_hashes(firmware: Firmware) -> None:
    firmware.boot()
    line = Line(firmware.send)
    with pytest.raises(TinylmError, match=r"stub-en \(c0ffee42\), not the one asked for \(00000001\)"):
        Device(line, clock=line.clock).start(model_hash=1)


def test_a_line_that_always_damages_is_told(firmware: Firmware) -> None:
    device = start_device(firmware)
    device._port._noise = lambda sent: sent[:4] + b"\1" + sent[5:]  # type: ignore[attr-defined]
    with pytest.raises(TinylmError, match="damages what passes: 20 bad frames"):
        device.feed("a")


def test_an_unplugged_board_is_told(firmware: Firmware) -> None:
    device = start_device(firmware)

    def gone(sent: bytes) -> None:
        raise OSError(5, "Input/output error")

    device._port.write = gone  # type: ignore[method-assign]
    with pytest.raises(TinylmError, match="was closed: .*Input/output error"):
        device.feed("a")
    device.close()


@pytest.mark.parametrize(
    "url,message",
    [
        ("/dev/no-such-port", "There is no port '/dev/no-such-port'"),
        ("socket://127.0.0.1:9", "Nothing answers at 'socket://127.0.0.1:9'"),
        ("nonsense://x", "protocol 'nonsense' not known"),
        (str(ROOT / "README.md"), "cannot be opened as a serial port"),
    ],
)
def test_a_port_that_cannot_be_opened_is_told(url: str, message: str) -> None:
    with pytest.raises(TinylmError, match=re.escape(message)) as caught:
        Device.open(url)
    assert caught.value.hint


@pytest.mark.parametrize(
    "number,message,hint",
    [(13, "You may not open", "usermod -aG dialout"), (11, "is busy", "Close the serial monitor")],
)
def test_permission_and_a_busy_port_are_told(
    number: int, message: str, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import serial

    def refuse_open(self: serial.Serial) -> None:
        raise serial.SerialException(number, "could not open port")

    monkeypatch.setattr(serial.Serial, "open", refuse_open)
    with pytest.raises(TinylmError, match=message) as caught:
        Device.open("/dev/ttyUSB0")
    assert hint in caught.value.hint


def test_the_examples_of_the_specification_are_what_the_firmware_answers(firmware: Firmware) -> None:
    firmware.boot()
    spec = (ROOT / "docs" / "SPEC.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    (host  |device)  ([0-9a-f ]+)$", spec, re.MULTILINE)
    assert len(lines) >= 4
    for (_, request), (_, answer) in zip(lines[::2], lines[1::2]):
        assert firmware.send(bytes.fromhex(request)).hex(" ") == answer
