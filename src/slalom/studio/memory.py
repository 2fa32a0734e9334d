"""Memory that nobody needs any more goes back to the system, and not when it happens to."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """What is loaded within this stays, so nobody looks among it for what is not needed any more.

    Looking takes a quarter of a second each time, and several times while torch is loaded.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def release() -> None:
    """Give back what is not needed any more: pictures and trainings hold each other in circles."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library alone
        if trim is not None:
            trim(0)
