"""Memory that nobody needs any more goes back to the system, and not when it happens to."""

import ctypes
import gc
import sys


def settle() -> None:
    """What is loaded by now stays: looking for what is not needed passes over it, in no time."""
    gc.collect()
    gc.freeze()


def release() -> None:
    """Give back what is not needed any more: pictures and trainings hold each other in circles."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library alone
        if trim is not None:
            trim(0)
