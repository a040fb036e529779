"""Ctrl-C is kept for the end of a step, wherever it arrives; the second does not wait; nobody else's handler is touched."""

from __future__ import annotations

import gc
import os
import signal
import threading

import pytest

from tinylm.interrupts import HeldInterrupts


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_inside_a_callback_of_the_garbage_collector_is_not_lost() -> None:
    def callback(phase: str, info: dict) -> None:
        if phase == "start":
            interrupt()

    with pytest.raises(KeyboardInterrupt), HeldInterrupts() as interrupts:
        gc.callbacks.append(callback)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(callback)
        interrupts.check()
        pytest.fail("the interrupt was lost")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_after_the_last_check_comes_at_the_end() -> None:
    with pytest.raises(KeyboardInterrupt), HeldInterrupts() as interrupts:
        interrupts.check()
        interrupt()


def test_a_second_interrupt_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt), HeldInterrupts():
        interrupt()
        interrupt()
        pytest.fail("it waited")


def test_the_handler_of_somebody_else_stays_and_another_thread_changes_none() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        with HeldInterrupts() as interrupts:
            interrupt()
            interrupts.check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert came == [signal.SIGINT]

    inside: list[object] = []

    def enter() -> None:
        with HeldInterrupts():
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert inside == [before]
