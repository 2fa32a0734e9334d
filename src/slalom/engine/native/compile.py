"""How the program is compiled: once for all shapes, without the interpreter, with NaN in mind."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

import numba

from slalom.engine.native.cache import ProgramCache

P = ParamSpec("P")
R = TypeVar("R")

# Full fastmath would let the compiler assume that there is no NaN, and divergence would go unseen.
# Reassociation is left out too: `exp` and its kin depend on the order of their operations.
FORMULAS = {"contract", "nsz"}
# Sums over rows, whose order nobody relies on, may be spread over the lanes of a vector.
SUMS = FORMULAS | {"reassoc"}

# Without reference counts, which would cost more than the arithmetic of a small net; therefore
# nothing that is compiled here can make an array.
_compile: Any = partial(numba.njit, nogil=True, error_model="numpy", _nrt=False)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A function of the compiled program.

    Whoever calls a kernel has it optimized again together with himself: the fewer storeys the
    better. Whole numbers written out count as a type of their own, for which everything would be
    compiled once more: pass variables.
    """
    compiled: Callable[P, R] = _compile(fastmath=SUMS)(function)
    return compiled


def inline(function: Callable[P, R]) -> Callable[P, R]:
    """A formula, which becomes part of the loop that calls it and is vectorised with it."""
    compiled: Callable[P, R] = _compile(fastmath=FORMULAS, forceinline=True)(function)
    return compiled


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A piece of a kernel that has a name for the reader; Numba puts it in its place."""
    compiled: Callable[P, R] = _compile(fastmath=SUMS, inline="always")(function)
    return compiled


def program(function: Callable[P, R]) -> Callable[P, R]:
    """The kernel that Python calls; it is compiled once and kept in the user's cache folder."""
    compiled: Any = kernel(function)
    compiled._cache = ProgramCache(function)
    return compiled  # type: ignore[no-any-return]
