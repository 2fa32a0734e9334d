"""What threads share: a queue of tasks, and a flag that ends the work."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def take(typing: Any, queue: Any) -> Any:
    """The number in `queue [1]`, int64, which becomes the next one, whoever else takes one."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, ir.IntType(64)(1), "monotonic")

    return types.int64(queue), emit


@intrinsic
def stopped(typing: Any, flag: Any) -> Any:
    """Whether `flag [1]`, int64, has been set, by whatever thread."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        value = builder.load_atomic(array.data, "monotonic", 8)
        return cgutils.is_not_null(builder, value)

    return types.boolean(flag), emit
