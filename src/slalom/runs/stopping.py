"""What ends a training before its plan is carried out: the time, Ctrl-C, a polite kill."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slalom.core.errors import BadPlan
from slalom.training import Stopper, Training

SIGNALS: dict[int, Stopper] = {signal.SIGINT: "interrupt", signal.SIGTERM: "terminate"}


@contextmanager
def stopping(training: Training, time_limit: float | None) -> Iterator[list[Stopper]]:
    """Stop the training when the time is up, at Ctrl-C and at SIGTERM; gives the list of reasons.

    A second signal does at once what it did before. Whoever ignores a signal goes on doing so. Only
    the main thread hears signals.
    """
    reasons: list[Stopper] = []

    def end(why: Stopper) -> None:
        reasons.append(why)
        training.stop()

    in_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in SIGNALS} if in_main else {}
    heard = {n: handler for n, handler in before.items() if handler not in (None, signal.SIG_IGN)}

    def hear(number: int, frame: Any) -> None:
        signal.signal(number, heard[number])
        end(SIGNALS[number])

    timer = None if time_limit is None else threading.Timer(time_limit, end, ["time limit"])
    if timer is not None:
        timer.daemon = True
        timer.start()
    for number in heard:
        signal.signal(number, hear)
    try:
        yield reasons
    finally:
        if timer is not None:
            timer.cancel()
        for number, handler in heard.items():
            signal.signal(number, handler)


def check_time_limit(seconds: float | None) -> None:
    """Raise `BadPlan` unless these are seconds that a timer can wait for, or None."""
    if seconds is None:
        return
    if not isinstance(seconds, int | float) or not 0 < seconds <= threading.TIMEOUT_MAX:
        raise BadPlan(f"time_limit must be a number of seconds > 0, but {seconds!r} was given.")
