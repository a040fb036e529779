"""Boards that take their image as a file on a USB drive. Knows mounts and copying; knows no image format."""

from __future__ import annotations

import os
import string
import sys
import time
from pathlib import Path

from tinylm.board import Drive
from tinylm.errors import TinylmError
from tinylm.progress import Report

_CHUNK_BYTES = 16 * 1024
_REFUSAL_S = 3.0  # DAPLink comes back this soon after a copy that it refused, with FAIL.TXT on it
_REMOVABLE = ("vfat", "msdos", "exfat", "fuseblk")


def mounted_drives() -> list[Path]:
    """Where this computer has drives mounted that may be a board's."""
    if sys.platform == "win32":
        return [root for letter in string.ascii_uppercase if (root := Path(f"{letter}:\\")).exists()]
    if sys.platform == "darwin":
        return sorted(Path("/Volumes").iterdir())
    return parse_mounts(Path("/proc/self/mounts").read_text("utf-8", "replace"))


def parse_mounts(text: str) -> list[Path]:
    """Mount points of FAT file systems in Linux's table of mounts; a space in a path is written \\040 there."""
    rows = [line.split(" ") for line in text.splitlines()]
    places = [row[1] for row in rows if len(row) > 2 and row[2] in _REMOVABLE]
    return [Path(place.encode().decode("unicode_escape").encode("latin-1").decode("utf-8")) for place in places]


def is_board_drive(folder: Path, drive: Drive) -> bool:
    """Whether the file that tells the board is there and says so."""
    try:
        said = (folder / drive.file).read_text("utf-8", "replace")
    except OSError:
        return False
    return any(text in said for text in drive.says)


def find_drive(drive: Drive, title: str, how: str) -> Path:
    """The one mounted drive of that board. Raises TinylmError: none (`how` the board shows one), not mounted, or several."""
    found = [folder for folder in mounted_drives() if is_board_drive(folder, drive)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(map(str, found))
        raise TinylmError(f"{len(found)} drives are a {title}'s: {listed}.", f"Choose one: --drive {found[0]}")
    device = Path("/dev/disk/by-label") / drive.label
    if device.exists():
        raise TinylmError(
            f"The drive {drive.label} of the {title} is attached but not mounted.",
            f"Mount it: udisksctl mount -b {device}",
        )
    raise TinylmError(f"No drive {drive.label} of a {title} is mounted.", how)


def copy_image(image: Path, folder: Path, drive: Drive, report: Report) -> None:
    """Copies an image to a board's drive; every piece has left this computer when it is reported.

    A board may restart as soon as it has the last piece: that its drive is gone then is no error.
    Raises TinylmError for a folder that is not the board's drive, one that goes away or is full, a refusal by the board.
    """
    if not is_board_drive(folder, drive):
        raise TinylmError(
            f"'{folder}' is not the board's drive: there is no {drive.file} that says {' or '.join(drive.says)}.",
            f"Give the folder where the drive {drive.label} is mounted: --drive FOLDER",
        )
    content = image.read_bytes()
    done = 0
    try:
        with (folder / image.name).open("wb", buffering=0) as file:
            for at in range(0, len(content), _CHUNK_BYTES):
                done = at + file.write(content[at : at + _CHUNK_BYTES])
                os.fsync(file.fileno())
                report("copy", done, len(content), "")
    except OSError as error:
        if done < len(content):
            raise TinylmError(
                f"Copying to '{folder}' stopped after {done:,} of {len(content):,} bytes: {error.strerror or error}.",
                "Leave the board plugged in while its drive is written, and try again.",
            ) from error
    _require_accepted(folder)


def _require_accepted(folder: Path) -> None:
    """DAPLink (micro:bit) tells a refusal by a file on the drive."""
    deadline = time.monotonic() + _REFUSAL_S
    refusal = folder / "FAIL.TXT"
    while folder.is_dir() and time.monotonic() < deadline:
        if refusal.is_file():
            said = " ".join(refusal.read_text("utf-8", "replace").split())
            raise TinylmError(f"The board refused the image: {said}", "Build it again: tinylm build")
        time.sleep(0.1)
