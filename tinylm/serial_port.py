"""Opens a serial line by path or URL and words what can go wrong. Knows pyserial; knows nothing of what is said."""

from __future__ import annotations

import errno
import sys
from typing import Any, Protocol

from tinylm.errors import TinylmError

POLL_S = 0.02
"""How long one read waits for its first byte."""


class Port(Protocol):
    """What a device needs of a line; pyserial's ports have it."""

    @property
    def in_waiting(self) -> int: ...
    def read(self, size: int = 1) -> bytes: ...
    def write(self, data: bytes) -> Any: ...
    def close(self) -> None: ...


def list_ports() -> list[str]:
    """The serial ports of this computer, each as 'path (what it calls itself)'."""
    from serial.tools import list_ports as ports

    return [f"{p.device} ({p.description})" if p.description != "n/a" else p.device for p in sorted(ports.comports())]


def describe_ports() -> str:
    """A sentence that lists the ports there are."""
    ports = list_ports()
    return "Ports here: " + ", ".join(ports) + "." if ports else "This computer sees no serial port at all."


def open_port(url: str, baud: int) -> Port:
    """Open `/dev/ttyACM0`, `COM3`, `socket://host:port` or any other URL of pyserial, for this program alone.

    Raises TinylmError: no such port, permission, busy, refused connection, no such kind of URL, impossible baud rate.
    """
    import serial

    try:
        port = serial.serial_for_url(url, baudrate=baud, timeout=POLL_S, write_timeout=5, do_not_open=True)
        port.exclusive = True
        port.open()
    except ValueError as error:
        raise TinylmError(
            f"Cannot open '{url}' at {baud} baud: {error}.",
            f"Give a path, socket://HOST:PORT or rfc2217://HOST:PORT. {describe_ports()}",
        ) from error
    except OSError as error:
        raise _explain(url, error) from error
    return port


def _explain(url: str, error: OSError) -> TinylmError:
    denied = error.errno in (errno.EACCES, errno.EPERM) or "PermissionError" in str(error)
    if "://" in url:
        return TinylmError(
            f"Nothing answers at '{url}': {error}.", "Start the emulator first: tinylm emulate --board NAME."
        )
    if error.errno in (errno.EBUSY, errno.EAGAIN) or (denied and sys.platform == "win32"):
        return TinylmError(
            f"'{url}' is busy: another program holds it.", "Close the serial monitor, terminal or tinylm that uses it."
        )
    if denied:
        return TinylmError(
            f"You may not open '{url}' (permission denied).",
            f"Type: sudo usermod -aG {_group_of(url)} $USER, then log out and in again.",
        )
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in str(error):
        return TinylmError(f"There is no port '{url}'.", f"Plug the board in, then try again. {describe_ports()}")
    return TinylmError(f"'{url}' cannot be opened as a serial port: {error}.", describe_ports())


def _group_of(path: str) -> str:
    """The group that owns a device: dialout on Debian, uucp on Arch; dialout when it cannot be told."""
    try:
        import grp
        import os

        group = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (ImportError, OSError, KeyError):
        return "dialout"
    return "dialout" if group == "root" else group
