"""What threads share: numbers that one of them changes while others read them."""

import sys
from typing import Any

from slalom.engine.native.adapter import cgutils, intrinsic, ir, types
from slalom.engine.native.compile import inlined


def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Of the number at an index, the first two arguments."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic
def add(typing: Any, numbers: Any, index: Any, amount: Any) -> Any:
    """Add to a number, an int64, and give what it was before, whoever else adds to it."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature, arguments)
        return builder.atomic_rmw("add", address, arguments[2], "seq_cst")

    return types.int64(numbers, types.int64, types.int64), emit


@intrinsic
def load(typing: Any, numbers: Any, index: Any) -> Any:
    """A number, and with it all that a thread wrote before it stored that number."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_address(context, builder, signature, arguments), "acquire", 8)

    return types.int64(numbers, types.int64), emit


@intrinsic
def store(typing: Any, numbers: Any, index: Any, value: Any) -> Any:
    """Set a number, after all that was written before."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature, arguments)
        builder.store_atomic(arguments[2], address, "release", 8)
        return context.get_dummy_value()

    return types.void(numbers, types.int64, types.int64), emit


@intrinsic
def give_way(typing: Any) -> Any:
    """Let another thread have the core, if one waits for it."""
    name = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), emit


@inlined
def stopped(flag):
    """Whether `flag [1]`, int64, has been set, by whatever thread."""
    return load(flag, 0) != 0
