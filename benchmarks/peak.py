"""What is the most this machine can multiply and add, on one core and on both?

    python benchmarks/peak.py

A loop of independent fused multiply-adds that never leave the registers, in the widest vectors that
the processor has. Shares of the peak in the other benchmarks are shares of this.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
import pandas as pd
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from harness import charts
from harness.results import FOLDER, digits, markdown, write
from slalom.plots import style

FEATURES = llvm.get_host_cpu_features()
LANES = 16 if FEATURES.get("avx512f") else 8 if FEATURES.get("avx2") else 4  # float32 of a vector
CHAINS = (
    24 if FEATURES.get("avx512f") else 12
)  # sums, enough to hide the latency, fewer than registers


@intrinsic
def fused_multiply_adds(typing: Any, times: Any, factor: Any) -> Any:
    """`times` rounds of `sum = sum * factor + factor` in every chain; returns one of the lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        times, factor = arguments
        vector = ir.VectorType(ir.FloatType(), LANES)
        three = ir.FunctionType(vector, [vector] * 3)
        fma = cgutils.get_or_insert_function(builder.module, three, f"llvm.fma.v{LANES}f32")
        factors = _in_every_lane(builder, factor, vector)
        before, loop, after = (
            builder.block,
            *(builder.append_basic_block(n) for n in ("fma", "end")),
        )
        builder.branch(loop)
        builder.position_at_end(loop)
        count = builder.phi(times.type)
        sums = [builder.phi(vector) for _ in range(CHAINS)]
        results = [builder.call(fma, [s, factors, factors]) for s in sums]
        next_count = builder.add(count, ir.Constant(times.type, 1))
        builder.cbranch(builder.icmp_signed("<", next_count, times), loop, after)
        count.add_incoming(ir.Constant(times.type, 0), before)
        count.add_incoming(next_count, loop)
        for k, (s, result) in enumerate(zip(sums, results, strict=True)):
            s.add_incoming(ir.Constant(vector, [float(k)] * LANES), before)
            s.add_incoming(result, loop)
        builder.position_at_end(after)
        total = results[0]
        for result in results[1:]:
            total = builder.fadd(total, result)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.int64, types.float32), generate


def _in_every_lane(builder: Any, value: Any, vector: Any) -> Any:
    spread = cgutils.get_null_value(vector)
    for lane in range(LANES):
        spread = builder.insert_element(spread, value, ir.Constant(ir.IntType(32), lane))
    return spread


@numba.njit(nogil=True)
def work(times: int, factor: float) -> float:
    """Compiled without `fastmath`, so nothing of it may be left out."""
    return fused_multiply_adds(times, factor)


def gflops(cores: int, times: int = 5_000_000, turns: int = 5) -> list[float]:
    """GFLOP/s of so many cores at once, one value a turn."""
    factor = np.float32(0.5)
    work(1, factor)
    values = []
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(turns):
            began = time.perf_counter()
            list(pool.map(work, [times] * cores, [factor] * cores))
            spent = time.perf_counter() - began
            values.append(2 * CHAINS * LANES * times * cores / spent / 1e9)
    return values


def assembly() -> str:
    """What `work` was compiled to."""
    work(1, np.float32(0.5))
    return "\n".join(work.inspect_asm().values())


def product_gflops(turns: int = 5, size: int = 2048) -> list[float]:
    """The same of torch's matrix product, as a check of what is within reach."""
    import torch

    torch.set_num_threads(2)
    a, b = torch.randn(size, size), torch.randn(size, size)
    values = []
    for _ in range(turns + 1):
        began = time.perf_counter()
        torch.mm(a, b)
        values.append(2 * size**3 / (time.perf_counter() - began) / 1e9)
    return values[1:]


@style.look()
def draw(rows: pd.DataFrame, path: Path) -> None:
    figure = style.picture(8, 2.6)
    axes = figure.subplots()
    charts.bars(axes, rows["what"], rows["median"], [digits(v) for v in rows["median"]], ours=())
    axes.set_xlabel("GFLOP/s")
    style.headline(axes, "Peak of fused multiply-adds", "float32")
    charts.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    turns = 3 if arguments.quick else 15
    measures: dict[str, Callable[[], list[float]]] = {
        "one core, registers only": lambda: gflops(1, turns=turns),
        "two cores, registers only": lambda: gflops(2, turns=turns),
        "torch matrix product 2048, two threads": lambda: product_gflops(turns),
    }
    values = {name: measure() for name, measure in measures.items()}
    rows = pd.DataFrame(
        {"what": n, "median": np.median(v), "lowest": min(v), "highest": max(v), "turns": len(v)}
        for n, v in values.items()
    )
    table = markdown(
        ["float32 multiply-adds", "GFLOP/s (median)", "lowest", "highest"],
        [
            [r.what, digits(r.median), digits(r.lowest), digits(r.highest)]
            for r in rows.itertuples()
        ],
    )
    write("peak", rows, table, f"Vectors of {LANES} lanes, {CHAINS} chains.", folder=arguments.out)
    draw(rows, arguments.out / "peak.png")


if __name__ == "__main__":
    main()
