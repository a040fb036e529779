"""The device's end as a whole program: hostile bytes, a wrong model, a pty, a socket, and other compilers."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_rig import INCLUDES, LINK_SOURCES, MAIN_SOURCE, STRICT, Firmware, compile_device, compile_library

import tinylm
from tinylm.errors import TinylmError
from tinylm.frames import BODY_BYTES, FrameReader, encode_frame
from tinylm.link import PROTOCOL_VERSION, Device

pytestmark = pytest.mark.needs("cc")
HOSTILE_BYTES = 400_000
IDENTIFY = encode_frame(bytes([77, 1, PROTOCOL_VERSION]))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware under the address and undefined-behaviour sanitizers: the first fault ends it."""
    output = tmp_path_factory.mktemp("device") / "device"
    return compile_device(output, "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    return Firmware(compile_library(tmp_path_factory.mktemp("link") / "link.so"))


def hostile_bytes(seed: int, size: int) -> bytes:
    """Noise, text, control sequences, cut and overlong frames, and good frames with any command and any arguments."""
    choose = random.Random(seed)
    stream = bytearray()
    while len(stream) < size:
        arguments = choose.randbytes(choose.choice([0, 1, 2, 6, 40, 249]))
        frame = encode_frame(bytes([choose.randrange(256), choose.randrange(12)]) + arguments)
        edit = bytes([choose.randrange(256), choose.randrange(2, 7), choose.randrange(7)])
        edit = encode_frame(edit + b"ho"[: choose.randrange(3)])
        stream += choose.choice(
            [
                choose.randbytes(choose.randrange(400)),
                bytes(choose.choices(b"yhot \r\n\t123\b\x7f\x1b[A\x15\x16\xc3\xa9\xf0", k=60)),
                b"\r\r\r" + b"h" * choose.randrange(400),
                frame,
                edit,
                edit,
                frame[: choose.randrange(len(frame))],
                b"\2" + bytes([choose.randrange(1, 256)]) * choose.randrange(600),
                encode_frame(b""),
            ]
        )
    return bytes(stream)


@pytest.mark.parametrize("seed", range(2))
def test_hostile_bytes_break_nothing_and_a_good_frame_is_answered_after_them(program: Path, seed: int) -> None:
    done = subprocess.run(
        [program], input=hostile_bytes(seed, HOSTILE_BYTES) + IDENTIFY, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()[:2000]
    answers = FrameReader().push(done.stdout)
    assert None not in answers and len(answers) > 1000
    assert answers[-1] is not None and answers[-1][:4] == bytes([77, 0x81, 0, PROTOCOL_VERSION])


@settings(max_examples=300)
@given(garbage=st.binary(max_size=700), message=st.binary(min_size=2, max_size=BODY_BYTES - 2))
def test_any_frame_after_any_garbage_is_answered_once(firmware: Firmware, garbage: bytes, message: bytes) -> None:
    firmware.boot()
    firmware.send(garbage + b"\0")
    answers = FrameReader().push(firmware.send(encode_frame(message)))
    assert len(answers) == 1 and answers[0] is not None
    assert answers[0][:2] == bytes([message[0], message[1] | 0x80])


@given(body=st.binary(max_size=400))
def test_what_is_no_frame_is_refused_without_its_sequence(firmware: Firmware, body: bytes) -> None:
    encoded = body.replace(b"\0", b"\1")
    (answer,) = FrameReader().push(firmware.send(b"\0\2" + encoded + b"\0"))
    assert answer == bytes([0, 0x80, 0xFB])


@pytest.mark.parametrize(
    "request_hex,status",
    [
        ("01 00", 0xFA),  # no command 0
        ("01 0a", 0xFF),  # memory without saying what
        ("01 0a 03", 0xFF),
        ("01 0a 00 00", 0xFF),
        ("01 0b", 0xFA),
        ("01 ff", 0xFA),
        ("01 01", 0xFA),  # identify without a version
        ("01 01 02", 0xFA),
        ("01 02", 0xFF),  # reset without a count
        ("01 02 06", 0xFF),
        ("01 02 00 00", 0xFF),
        ("01 03", 0xFF),
        ("01 03 06 79", 0xFF),
        ("01 05 00", 0xFF),
        ("01 05 00 00 00", 0xFF),
        ("01 07 00", 0xFF),
        ("01 07 01 00", 0xFF),  # beyond the empty line
        ("01 08 00 00 00 00 01", 0xFF),
        ("01", 0xFB),
        ("", 0xFB),
    ],
)
def test_a_request_out_of_its_range_is_refused_and_changes_nothing(
    firmware: Firmware, request_hex: str, status: int
) -> None:
    firmware.boot()
    (answer,) = FrameReader().push(firmware.send(encode_frame(bytes.fromhex(request_hex))))
    assert answer is not None and answer[2] == status
    (line,) = FrameReader().push(firmware.send(encode_frame(b"\2\7\0\0")))
    assert line == b"\2\x87\0\0\0"


@pytest.mark.parametrize("text_mode", [0, 1])
def test_a_board_learns_from_its_start_and_again_when_a_program_leaves(text_mode: int, tmp_path: Path) -> None:
    firmware = Firmware(compile_library(tmp_path / "link.so", f"-DTLM_TEXT={text_mode}"))
    line, without, leave = (encode_frame(body) for body in (b"\1\3\0how are you\n", b"\2\12\0", b"\3\11"))
    assert (b"stub-en" in firmware.boot()) == bool(text_mode)
    for sent, learned in ((line, 1), (without + line, 1), (leave + line, 2)):
        firmware.send(sent)
        assert firmware.learned() == learned


def test_the_firmware_has_the_version_of_the_package(firmware: Firmware) -> None:
    firmware.boot()
    (answer,) = FrameReader().push(firmware.send(IDENTIFY))
    assert answer is not None and tinylm.__version__.encode() in answer


@contextmanager
def on_a_pty(program: Path) -> Iterator[str]:
    """The device behind a pty; gives its path."""
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    process = subprocess.Popen([program], stdin=master, stdout=master)
    try:
        yield os.ttyname(slave)
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)


@contextmanager
def on_a_socket(program: Path) -> Iterator[str]:
    """The device behind a TCP port; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = "import os,socket,sys; s=socket.socket(fileno=int(sys.argv[1])); c,_=s.accept(); os.dup2(c.fileno(),0); "
        code += "os.dup2(c.fileno(),1); os.execv(sys.argv[2],sys.argv[2:])"
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(server.fileno()), str(program)], pass_fds=[server.fileno()]
        )
        try:
            yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("place", [on_a_pty, on_a_socket])
def test_a_session_over_a_pty_and_over_a_socket(program: Path, place) -> None:  # noqa: ANN001
    with place(program) as url, Device.open(url) as device:
        assert device.identity.board == "stand-in"
        assert device.feed("how are y", 3) == ["you", "your", "yes"]
        assert device.accept(0, 1) == ["are"]
        assert device.line() == "how are you "


def test_a_second_program_finds_the_port_busy(program: Path) -> None:
    with on_a_pty(program) as url, Device.open(url):
        with pytest.raises(TinylmError, match="is busy"):
            Device.open(url)


def test_a_program_that_died_leaves_a_device_for_the_next(program: Path) -> None:
    with on_a_pty(program) as url:
        first = Device.open(url)
        first.feed("half a li")
        first._port.write(IDENTIFY[:5])
        first._port.close()
        with Device.open(url) as second:
            assert second.line() == "" and second.suggest(1) == ["are"]


@pytest.mark.parametrize(
    "option,words", [("-DSTUB_LANGUAGE=-4", "model damaged, flash again"), ("-DSTUB_SELF_TEST=-4", "self-test failed")]
)
def test_a_wrong_model_is_refused_but_says_who_it_is(tmp_path: Path, option: str, words: str) -> None:
    program = compile_device(tmp_path / "device", option)
    reset = encode_frame(b"\5\2\0")
    done = subprocess.run([program], input=b"hello 1\r" + IDENTIFY + reset, capture_output=True, timeout=20)
    assert done.stdout.count(words.encode()) == 2  # at the start, and when somebody pressed Enter
    identity, refusal = FrameReader().push(done.stdout)
    assert identity is not None and identity[2] == 0xFC and b"stub-en" in identity
    assert refusal == b"\5\x82\xfc"
    with on_a_pty(program) as url:
        with pytest.raises(TinylmError, match=r"stand-in, stub-en\) cannot predict") as caught:
            Device.open(url)
    assert "tinylm flash --board stand-in" in caught.value.hint


COMPILERS = {
    "arm-none-eabi-gcc": ["-std=c99", "-Os", "-mcpu=cortex-m0", "-mthumb"],
    "avr-gcc": ["-std=c99", "-Os", "-mmcu=atmega2560", "-DTLM_LINE_BYTES=120"],
    "g++": ["-x", "c++", "-std=c++11", "-O2"],
}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_link_compiles_without_a_warning_for_small_chips_and_as_cpp(compiler: str, tmp_path: Path) -> None:
    if not shutil.which(compiler):
        from conftest import need

        need("cc" if compiler == "g++" else compiler)
        pytest.skip("g++ is missing: apt-get install g++")
    for source in [*LINK_SOURCES, MAIN_SOURCE]:
        command = [compiler, *COMPILERS[compiler], *STRICT, *INCLUDES, "-c", source, "-o", tmp_path / "out.o"]
        subprocess.run(command, check=True)
