"""The optimizers of stacked members on the CPU: those of the native engine, once over the memory.

Written as operations on tensors they pass over it a dozen times, which takes a small net as long
as its gradient.
"""

from slalom.engine.native.compile import program
from slalom.engine.native.updates import update


@program
def update_rows(rule, hyper, rates, step, parameters, gradient, slots):  # type: ignore[no-untyped-def]
    """One step of the optimizers of members with the same rule, in place.

    Args:
        rule: see `slalom.engine.hyper.RULES`.
        hyper: arguments `[P, ...]`, in the order of `slalom.engine.hyper.arguments_of`.
        rates: learning rates of this step `[P]`.
        step: its number, from 1.
        parameters: of one member after another `[P * D]`.
        gradient: `[P, D]`.
        slots: of one member after another `[P * S * D]`.
    """
    size = gradient.shape[1]
    remembered = slots.size // rates.size
    for k in range(rates.size):
        update(
            rule,
            hyper[k],
            rates[k],
            step,
            parameters,
            k * size,
            gradient[k],
            slots,
            k * remembered,
            size,
        )
