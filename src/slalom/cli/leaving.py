"""Ctrl-C and a polite kill end the program soon, whatever it is in the middle of."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

# What a shell says of programs that these signals end.
INTERRUPTED, TERMINATED = CODES = (128 + signal.SIGINT, 128 + signal.SIGTERM)
SECONDS = 1.7  # after a signal; what is being written is written first


class Terminated(KeyboardInterrupt):
    """SIGTERM came, which ends the program as Ctrl-C does, with another exit code."""


def code_of(stopped: KeyboardInterrupt) -> int:
    """What the program exits with: 128 and the number of the signal."""
    return CODES[isinstance(stopped, Terminated)]


def hear_sigterm() -> None:
    """Let SIGTERM end the program as Ctrl-C does, unless somebody ignores it."""
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: Any) -> None:
    raise Terminated


@contextmanager
def leaving_in_time() -> Iterator[None]:
    """End the process if it has not ended itself soon after a signal.

    Python hears a signal only between two of its instructions, and compiling is a single one for
    many seconds. The number of a signal is written to a socket at once, and a thread reads it.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone hears signals
        yield
        return
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.setblocking(False)
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        watch = threading.Thread(target=_watch, args=(reading,), daemon=True)
        watch.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            writing.shutdown(socket.SHUT_WR)
            watch.join()


def _watch(reading: socket.socket) -> None:
    for number in iter(lambda: reading.recv(1), b""):
        if number[0] not in (signal.SIGINT, signal.SIGTERM):
            continue
        reading.settimeout(SECONDS)
        with suppress(TimeoutError):
            while reading.recv(1):  # another signal; nothing comes when the program has got on
                pass
            return
        _leave(128 + number[0])


def _leave(code: int) -> None:
    from slalom.runs.keeping import WRITING

    with WRITING:
        print("Note: Stopped. What was kept last: slalom runs list", file=sys.stderr)
        leave(code)


def leave(code: int) -> NoReturn:
    """End the process at once; what was said has been said."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
