"""Ctrl-C where it is safe: at the end of a step. Knows signals; knows nothing of what is interrupted."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class HeldInterrupts:
    """While entered, Ctrl-C is kept for the next `check()`; a second one does not wait.

    Raised where it arrives, an interrupt may fall into a callback of a library's, which loses it (JAX has one in the garbage
    collector, also where TensorFlow computes). In another thread, and where somebody else handles SIGINT, nothing changes.
    """

    def __init__(self) -> None:
        self._came = self._is_held = False

    def __enter__(self) -> HeldInterrupts:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._keep)
            self._is_held = True
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_held:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if kind is None:
            self.check()

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if self._came:
            raise KeyboardInterrupt
        self._came = True

    def check(self) -> None:
        """Raises the KeyboardInterrupt that came."""
        if self._came:
            raise KeyboardInterrupt
