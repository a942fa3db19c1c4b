"""Interruptions from the keyboard, which must not be lost: where Python is when one comes, what it raises may be taken away.

A destructor or a callback of the garbage collector prints it and goes on; ctypes takes it for an argument that is wrong; a solver
that handles it itself may be done just then.  So it is noted when it comes, and those who work for long ask now and then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

END = 0
"""What is written to the thread that watches, where an interruption writes its number."""


@dataclass
class Noted:
    """Whether an interruption has come."""

    seen: bool = False


_now = Noted()


def _is_raised_here() -> bool:
    """Whether an interruption is raised in this thread, as Python does it where nobody has seen to it otherwise."""
    here = threading.current_thread() is threading.main_thread()
    return here and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@contextlib.contextmanager
def noting_interruptions(noted: Noted, stop: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Take note of an interruption that comes in the block, beside raising it, for `check_interrupted` to raise it again.
    `stop` is called at once, by a thread of its own, to end what is not in Python at that time.  What destructors raise because
    of it is not told, after the block neither."""
    global _now

    def interrupted(*_: object) -> None:
        noted.seen = True
        raise KeyboardInterrupt

    if not _is_raised_here():
        yield
        return

    def lost(what: sys.UnraisableHookArgs) -> None:
        # what was half made when it came has not got what its destructor asks for
        if not (noted.seen and issubclass(what.exc_type, KeyboardInterrupt | AttributeError)):
            told(what)

    def watch() -> None:
        while (numbers := os.read(woken, 64)) and END not in numbers:
            if signal.SIGINT in numbers:
                stop()

    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    _now, told = noted, sys.unraisablehook
    sys.unraisablehook = lost
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(before)
        _now, sys.unraisablehook = Noted(), lost if noted.seen else told
        os.write(wake, bytes([END]))
        watcher.join()
        os.close(woken)
        os.close(wake)


@dataclass
class Held:
    """An interruption that is not raised: whether one has come, and whether that was told."""

    seen: bool = False
    told: bool = False
    stops: list[Callable[[], None]] = field(default_factory=list)


_holding: list[Held] = []


@contextlib.contextmanager
def holding_interruptions(stop: Callable[[], None] = lambda: None) -> Iterator[Held]:
    """Not raise an interruption that comes in the block, which asks what is given now and then and says when it has told of one,
    so that nothing is lost that was half done.  It is raised after the block if it was not told of, and a second one is at once.

    `stop` is called when one comes.  In a block within such a block both know of it.
    """
    if _holding and threading.current_thread() is threading.main_thread():
        outer = _holding[0]
        outer.stops.append(stop)
        try:
            yield outer
        finally:
            outer.stops.pop()
        return
    held = Held(stops=[stop])
    if not _is_raised_here():
        yield held
        return

    def interrupted(*_: object) -> None:
        if held.seen:
            raise KeyboardInterrupt
        held.seen = True
        for each in held.stops:
            each()

    _holding.append(held)
    signal.signal(signal.SIGINT, interrupted)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _holding.clear()
        held.stops.clear()
        if held.seen and not held.told:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def putting_off_interruptions() -> Iterator[None]:
    """Not raise an interruption in the block, however they are seen to, but after it: what another process was begun to tell is
    told to its end.  It comes even where it is blocked, if another thread gets it."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[Any] = []
    signal.signal(signal.SIGINT, lambda *given: came.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(*came[0])


def check_interrupted() -> None:
    """Raise KeyboardInterrupt if one has come in the block that notes them."""
    if _now.seen:
        raise KeyboardInterrupt


def is_interruption(error: BaseException | None) -> bool:
    """Whether what was raised is an interruption.  Where it comes while Z3 is handed an argument, ctypes says that the argument
    is wrong."""
    wrong_argument = type(error).__name__ == "ArgumentError" and KeyboardInterrupt.__name__ in str(error)
    return isinstance(error, KeyboardInterrupt) or wrong_argument
