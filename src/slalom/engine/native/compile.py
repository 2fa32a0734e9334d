"""How the program is compiled: once for all shapes, without the interpreter, with NaN in mind."""

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, ParamSpec, TypeVar

from slalom.engine.native.adapter import (
    CompilerBase,
    DefaultPassBuilder,
    FunctionPass,
    JITCodeLibrary,
    Linkage,
    LoweringPass,
    NativeLowering,
    NopythonTypeInference,
    njit,
    register_jitable,
    register_pass,
)
from slalom.engine.native.cache import ProgramCache

P = ParamSpec("P")
R = TypeVar("R")

# Full fastmath would let the compiler assume that there is no NaN, and divergence would go unseen.
# Reassociation is left out too: `exp` and its kin depend on the order of their operations.
FORMULAS = {"contract", "nsz"}
# Sums over rows, whose order nobody relies on, may be spread over the lanes of a vector.
SUMS = FORMULAS | {"reassoc"}


class _Rough(JITCodeLibrary):
    """Code for programs to become part of: it is optimized and translated there, not by itself."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


class _Sealed(JITCodeLibrary):
    """A program, whose inner functions are its own.

    Otherwise the process that compiles it would call the kernels as they were compiled by
    themselves, and a process that loads it the copies inside, which round in another order.
    """

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if function.linkage == Linkage.linkonce_odr and not function.is_declaration:
                function.linkage = Linkage.internal
        super()._optimize_final_module()


class _Place(FunctionPass):
    """Says where the code of a function goes, before it is written."""

    library: type[JITCodeLibrary]

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return False


@register_pass(mutates_CFG=False, analysis_only=True)
class _PlaceRough(_Place):
    _name, library = "place_rough", _Rough

    def run_pass(self, state: Any) -> bool:
        flags = state.flags
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        return super().run_pass(state)


@register_pass(mutates_CFG=False, analysis_only=True)
class _Register(LoweringPass):
    """Makes a kernel known to those that call it, which Numba leaves out with `no_compile`."""

    _name = "register"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        key = object()  # by which Numba finds the kernel, in place of a function for Python
        state.targetctx.insert_user_function(key, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=key)
        return False


@register_pass(mutates_CFG=False, analysis_only=True)
class _PlaceSealed(_Place):
    _name, library = "place_sealed", _Sealed


class _KernelCompiler(CompilerBase):
    """As Numba's own, without machine code for Python to call."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_PlaceRough, NopythonTypeInference)
        passes.add_pass_after(_Register, NativeLowering)
        passes.finalize()
        return [passes]


class _ProgramCompiler(CompilerBase):
    """As Numba's own, with inner functions that nobody else sees."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_PlaceSealed, NopythonTypeInference)
        passes.finalize()
        return [passes]


# Without reference counts, which would cost more than the arithmetic of a small net; therefore
# nothing that is compiled here can make an array.
_compile: Any = partial(njit, nogil=True, error_model="numpy", _nrt=False)


def _called_by_python(*arguments: Any) -> NoReturn:
    raise TypeError("Python calls programs; a kernel is called by a program.")


def _kernel(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    compiled: Any = _compile(pipeline_class=_KernelCompiler, **options)(function)
    # There is no machine code of it for Python to call, and Numba must not try.
    compiled._insert = lambda *arguments, **options: None
    compiled._compile_for_args = _called_by_python
    return compiled  # type: ignore[no-any-return]


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A function of a compiled program.

    Whole numbers written out in a call of it count as a type of their own, for which everything
    would be compiled once more: pass variables.
    """
    return _kernel(function, fastmath=SUMS)


def inline(function: Callable[P, R]) -> Callable[P, R]:
    """A formula, which becomes part of the loop that calls it and is vectorised with it."""
    return _kernel(function, fastmath=FORMULAS, forceinline=True)


def known(function: Callable[P, R]) -> None:
    """Let kernels call a formula that Python calls too; it becomes part of their loops."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    register_jitable(**options, fastmath=FORMULAS, forceinline=True)(function)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A piece of a kernel that has a name for the reader; Numba puts it in its place."""
    compiled: Callable[P, R] = _compile(fastmath=SUMS, inline="always")(function)
    return compiled


def sealed(function: Callable[P, R]) -> Callable[P, R]:
    """A program: a kernel that Python calls, compiled in every process anew."""
    compiled: Callable[P, R] = _compile(fastmath=SUMS, pipeline_class=_ProgramCompiler)(function)
    return compiled


def program(function: Callable[P, R]) -> Callable[P, R]:
    """A program that is compiled once and kept in the user's cache folder."""
    compiled: Any = sealed(function)
    compiled._cache = ProgramCache(function)
    return compiled  # type: ignore[no-any-return]
