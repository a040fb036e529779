"""Images that are copied to a board's own drive: a folder stands for the drive."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinylm.board import Drive
from tinylm.drive import copy_image, find_drive, mounted_drives, parse_mounts
from tinylm.errors import TinylmError

PICO = Drive("RPI-RP2", "INFO_UF2.TXT", ("Board-ID: RPI-RP2",))


def make_drive(folder: Path, board: str = "RPI-RP2") -> Path:
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {board}\r\n")
    return folder


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What this computer has mounted: a list to add to."""
    drives: list[Path] = []
    monkeypatch.setattr("tinylm.drive.mounted_drives", lambda: drives)
    return drives


def ignore(*_: object) -> None:
    """No report."""


def test_the_board_is_told_by_the_file_on_its_drive(tmp_path: Path, mounted: list[Path]) -> None:
    mounted += [make_drive(tmp_path / "other", "SAMD21G18A-Feather-v0"), make_drive(tmp_path / "pico")]
    assert find_drive(PICO, "Pico", "Hold BOOTSEL.") == tmp_path / "pico"


def test_without_the_drive_it_says_how_the_board_shows_it(mounted: list[Path]) -> None:
    with pytest.raises(TinylmError) as caught:
        find_drive(PICO, "Pico", "Hold BOOTSEL.")
    assert "No drive RPI-RP2 of a Pico is mounted" in caught.value.message and caught.value.hint == "Hold BOOTSEL."


def test_of_several_drives_one_must_be_chosen(tmp_path: Path, mounted: list[Path]) -> None:
    mounted += [make_drive(tmp_path / "a"), make_drive(tmp_path / "b")]
    with pytest.raises(TinylmError) as caught:
        find_drive(PICO, "Pico", "")
    assert "2 drives" in caught.value.message and caught.value.hint == f"Choose one: --drive {tmp_path / 'a'}"


def test_the_copy_is_the_image_and_is_reported_piece_by_piece(tmp_path: Path) -> None:
    image = tmp_path / "firmware.uf2"
    image.write_bytes(bytes(range(256)) * 150)
    reported = []
    drive = make_drive(tmp_path / "pico")
    copy_image(image, drive, PICO, lambda stage, done, total, note: reported.append((done, total)))
    assert (drive / "firmware.uf2").read_bytes() == image.read_bytes()
    assert reported == [(16384, 38400), (32768, 38400), (38400, 38400)]


def test_a_folder_that_is_no_boards_drive_is_left_alone(tmp_path: Path) -> None:
    image, other = tmp_path / "firmware.uf2", make_drive(tmp_path / "other", "OTHER")
    image.write_bytes(b"UF2")
    with pytest.raises(TinylmError, match="is not the board's drive"):
        copy_image(image, other, PICO, ignore)
    assert [path.name for path in other.iterdir()] == ["INFO_UF2.TXT"]


def test_a_board_that_restarts_after_the_last_piece_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The boot loader takes its drive away: the last flush fails, and so does closing."""
    image, drive = tmp_path / "firmware.uf2", make_drive(tmp_path / "pico")
    image.write_bytes(bytes(20_000))
    flushes = []

    def flush(_: int) -> None:
        flushes.append(1)
        if len(flushes) == 2:
            (drive / "INFO_UF2.TXT").unlink()
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("tinylm.drive.os.fsync", flush)
    copy_image(image, drive, PICO, ignore)


def test_a_drive_that_goes_away_in_the_middle_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image, drive = tmp_path / "firmware.uf2", make_drive(tmp_path / "pico")
    image.write_bytes(bytes(40_000))

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("tinylm.drive.os.fsync", fail)
    with pytest.raises(TinylmError, match="stopped after 16,384 of 40,000 bytes: Input/output error"):
        copy_image(image, drive, PICO, ignore)


def test_a_refusal_on_the_drive_is_read(tmp_path: Path) -> None:
    image, drive = tmp_path / "firmware.uf2", make_drive(tmp_path / "pico")
    image.write_bytes(b"no image")
    (drive / "FAIL.TXT").write_text("error: The file cannot be decoded.\r\n")
    with pytest.raises(TinylmError, match="refused the image: error: The file cannot be decoded"):
        copy_image(image, drive, PICO, ignore)


def test_linux_mounts_are_read_with_spaces_and_letters_of_any_language() -> None:
    table = "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /media/me/RPI-RP2 vfat rw 0 0\n/dev/sdc1 /media/jö/MY\\040DRIVE vfat rw 0 0\n"
    assert parse_mounts(table) == [Path("/media/me/RPI-RP2"), Path("/media/jö/MY DRIVE")]


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_every_system_is_asked_in_its_own_way(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr(Path, "iterdir", lambda self: iter([self / "RPI-RP2"] if str(self) == "/Volumes" else []))
    monkeypatch.setattr(Path, "read_text", lambda self, *_: "/dev/sdb1 /media/x vfat rw 0 0\n")
    monkeypatch.setattr(Path, "exists", lambda self: str(self).startswith("E:"))
    found = {"linux": ["/media/x"], "darwin": ["/Volumes/RPI-RP2"], "win32": ["E:\\"]}[system]
    assert [str(path) for path in mounted_drives()] == found
