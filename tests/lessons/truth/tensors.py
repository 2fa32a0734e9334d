from fractions import Fraction
from struct import pack, unpack
from typing import Any

import torch


def narrow_error(n: Any) -> Fraction:
    """By how much a sum of 0.1 in float32 is off, without rounding."""
    return abs(Fraction(n.narrow_sum) - Fraction(n.terms, 10))


def nearest(number: float) -> float:
    """The number of four bytes that is nearest."""
    return float(unpack("f", pack("f", number))[0])


CLAIMS = {
    "cut": lambda n: n.dtype.startswith("int") and n.written % 1 != 0,
    "nearest": lambda n: n.dtype == "float32" and nearest(n.written) != n.written,
    "gpu": lambda n: torch.cuda.device_count() > 0,
    "far_off": lambda n: narrow_error(n) > Fraction(1, 10),
}

TRIES = {
    "--dtype float32 --written 0.1": lambda n: n.stored == nearest(0.1) != 0.1,
    "--dtype int64 --written 2.7": lambda n: n.stored == 2,
    "--size 2 --seed 5": lambda n: n.matrix_product.shape == (2, 2),
    "--terms 10000": lambda n: narrow_error(n) < Fraction(1, 10),
}
