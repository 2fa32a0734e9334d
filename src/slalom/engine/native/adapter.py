"""All that Slalom takes from Numba and llvmlite: no other file imports them.

`intrinsic`, `types`, `register_jitable` and `ir` are what they offer to everybody. The rest is
their inside, which any release may change: how a function is compiled, where its code goes, how it
is kept on disk. `pyproject.toml` therefore names the first version that was not tried. To move on,
raise it there and in the constraints, and run the tests of `tests/engine/native`.
"""

from llvmlite import ir as ir
from llvmlite.binding import Linkage as Linkage
from llvmlite.binding import get_host_cpu_features as get_host_cpu_features
from numba import njit as njit
from numba import types as types
from numba.core import cgutils as cgutils
from numba.core.caching import CompileResultCacheImpl as CompileResultCacheImpl
from numba.core.caching import FunctionCache as FunctionCache
from numba.core.caching import _CacheLocator
from numba.core.codegen import JITCodeLibrary as JITCodeLibrary
from numba.core.compiler import CompilerBase as CompilerBase
from numba.core.compiler import DefaultPassBuilder as DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass as FunctionPass
from numba.core.compiler_machinery import LoweringPass as LoweringPass
from numba.core.compiler_machinery import register_pass as register_pass
from numba.core.typed_passes import NativeLowering as NativeLowering
from numba.core.typed_passes import NopythonTypeInference as NopythonTypeInference
from numba.extending import intrinsic as intrinsic
from numba.extending import register_jitable as register_jitable

CacheLocator = _CacheLocator  # private there too
