"""What does a GPU make of populations?

    python benchmarks/gpu.py                         on a GPU, at most five minutes
    python benchmarks/gpu.py --device cpu --quick    a look, on any machine

The numbers of the batched engine there are compared with those of the reference engine on the
processor; then how many nets take a step in a second, from one to a million of them, and which
share of the most that the card can multiply that is; then a map of training, a net a pixel, beside
JAX where that is installed. What does not fit into the time or the memory is left out, and says so.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from harness.machine import available_memory
from harness.results import FOLDER, digits, markdown, write
from slalom import CNN, MLP, SGD, Adam, Dataset, Plan, grid, toys
from slalom.core.errors import BadPlan
from slalom.engine import Batched, Reference
from slalom.engine.device import device_of
from slalom.losses import MSE, CrossEntropy
from slalom.nets import NetSpec

TOLERANCE = 2e-5  # relative, of the losses of the first steps: sums in other orders
FLOAT = 4  # bytes
MAP_ROWS, MAP_STEPS, MAP_BLOCK = 272, 500, 2**16


@dataclass(frozen=True)
class Work:
    """A net on data of its own, in full batches.

    Args:
        name: of the net.
        net, data: what trains on what.
        products: multiplications and additions of a step, forward and back.
    """

    name: str
    net: NetSpec
    data: Dataset
    products: int

    def plan(self, members: int, steps: int) -> Plan:
        """Members that differ in their rate, and keep one record each."""
        loss = MSE() if self.data.task == "regression" else CrossEntropy()
        rates = np.geomspace(1e-4, 1e-2, members)
        population = grid(net=[self.net], optimizer=[SGD], lr=rates)
        return Plan(population, loss, steps=steps, record="step", record_every=steps)


def works(rows: int) -> list[Work]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, 16)).astype(np.float32)
    table = Dataset(X, np.sin(X.sum(axis=1)), task="regression")
    digits = toys.digits()
    images = Dataset(digits.X[:rows], digits.y[:rows], task="classification")
    return [
        Work("1-10-1", MLP(1, 10, 1), toys.quadratic(rows), 6 * rows * 20),
        Work("16-64-64-1", MLP(16, 64, 64, 1), table, 6 * rows * (16 * 64 + 64 * 64 + 64)),
        Work(
            "convolutional",
            CNN((1, 8, 8), 10, filters=(8, 16)),
            images,
            6 * rows * (64 * 9 * 8 + 16 * 9 * 8 * 16 + 64 * 10),
        ),
    ]


def checked(device: torch.device) -> pd.DataFrame:
    """Largest relative differences of the losses, beside the reference engine."""
    rows = []
    for work in works(64):
        population = grid(net=[work.net], optimizer=[SGD(0.01), Adam(0.01)], seed=range(3))
        loss = MSE() if work.data.task == "regression" else CrossEntropy()
        plan = Plan(population, loss, steps=20, record="step")
        ours, truth = (
            np.sort(engine.advance(engine.start(plan, work.data), 20), order=["member", "step"])
            for engine in (Batched(device=device), Reference())
        )
        differs = np.abs(ours["train_loss"] / truth["train_loss"] - 1).max()
        rows.append({"net": work.name, "differs": differs})
        if not differs <= TOLERANCE:
            raise SystemExit(f"The losses of {work.name} on {device} differ by {differs:.1e}.")
    return pd.DataFrame(rows)


def peak(device: torch.device, size: int) -> float:
    """Floating-point operations a second in products of large float32 matrices."""
    a = torch.randn(size, size, device=device)
    torch.mm(a, a)
    seconds = []
    for _ in range(5):
        began = _clock(device)
        torch.mm(a, a)
        seconds.append(_clock(device) - began)
    return 2 * size**3 / float(np.median(seconds))


def _clock(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def paces(
    device: torch.device, members: list[int], rows: int, most: float, seconds: float
) -> Iterator[dict[str, Any]]:
    """Steps of nets a second, net by net, from few members to many."""
    for work in works(rows):
        left, size = seconds / 3, work.net.size[0]
        for count in members:
            row: dict[str, Any] = {"net": work.name, "members": count}
            # The state, what the device gives back of it, and what the optimizer passes on.
            if 3 * FLOAT * size * count > available_memory():
                yield row | {"note": "larger than the memory"}
                continue
            began = time.perf_counter()
            pace = _pace(work, count, device, left)
            left -= time.perf_counter() - began
            if pace is None or left < 0:
                yield row | {"note": "longer than its time"}
                break
            share = pace * work.products / most
            yield row | {"nets_a_second": pace, "share": share, "note": ""}


def _pace(work: Work, members: int, device: torch.device, seconds: float) -> float | None:
    """Steps of nets a second, in a stretch of a tenth of the time; None if one is too long."""
    session = Batched(device=device).prepare(work.plan(members, 10**6), work.data)
    state = session.start()
    session.advance(state, 3)  # graphs are written down
    steps, took = 1, 0.0
    while took < 0.1 * seconds:
        began = time.perf_counter()
        session.advance(state, steps)
        took = time.perf_counter() - began
        if took > seconds:
            return None
        if took < 0.1 * seconds:
            steps *= 4
    return steps * members / took


def map_of_training(device: torch.device, side: int, seconds: float) -> dict[str, Any]:
    """A map of side x side nets, block by block until the time is over; all of it is told."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((MAP_ROWS, 16)).astype(np.float32)
    data = Dataset(X, np.sin(X @ rng.standard_normal(16)).astype(np.float32), task="regression")
    net, lines = MLP(16, 16, 1, activation="tanh"), max(1, min(side, MAP_BLOCK // side))
    momenta = np.linspace(0.0, 0.99, side)
    began, done, first = time.perf_counter(), 0, 0.0
    losses = np.empty(0)
    while done < side and time.perf_counter() - began < seconds:
        rates = np.geomspace(1e-2, 1e2, side)[done : done + lines]
        population = grid(net=[net], optimizer=[SGD], lr=rates, momentum=momenta)
        plan = Plan(population, MSE(), steps=MAP_STEPS, record="step", record_every=MAP_STEPS)
        engine = Batched(device=device)
        state = engine.start(plan, data)
        engine.advance(state, MAP_STEPS)
        losses, done = state.train_loss, done + len(rates)
        first = first or time.perf_counter() - began
    took = time.perf_counter() - began
    row = {"nets": done * side, "of": side * side, "seconds": took * side / done, "first_s": first}
    parameters, _ = net.first([0])
    return row | _beside_jax(parameters[0], data, rates, momenta, losses)


def _beside_jax(
    parameters: Any, data: Dataset, rates: Any, momenta: Any, losses: Any
) -> dict[str, Any]:
    """The last block once more in JAX, on the device that it takes by itself."""
    try:
        import jax

        from peers.jax_map import Mapped
    except ImportError:
        return {"jax": "not installed"}
    hidden, bias, output, last = np.split(parameters, [256, 272, 288])
    weights = [hidden.reshape(16, 16), bias, output.reshape(1, 16), last]
    mapped = Mapped(weights, data.X, data.y.ravel(), MAP_STEPS)
    each = np.repeat(rates, len(momenta)), np.tile(momenta, len(rates))
    mapped.losses(*each)
    began = time.perf_counter()
    found = mapped.losses(*each)
    seconds = (time.perf_counter() - began) * len(momenta) / len(rates)
    # Those that settle: what is at the border of divergence, or beyond, differs by every rounding.
    calm = np.isfinite(losses) & np.isfinite(found) & (losses < 1) & (each[1] < 0.9)
    differs = np.abs(found[calm] / losses[calm] - 1)
    near = float(np.median(differs)) if calm.any() else np.nan
    return {"jax": jax.devices()[0].platform, "jax_seconds": seconds, "jax_differs": near}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or cpu")
    parser.add_argument("--quick", action="store_true", help="small, in less than a minute")
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    quick = arguments.quick
    try:
        device = device_of(arguments.device)
    except BadPlan as error:
        raise SystemExit(str(error)) from None
    members = [1, 100] if quick else [1, 100, 10_000, 1_000_000]
    differs = checked(device)
    most = peak(device, 512 if quick else 8192)
    pace = pd.DataFrame(paces(device, members, 32 if quick else 128, most, 15 if quick else 120))
    drawn = map_of_training(device, 32 if quick else 4096, 5 if quick else 90)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
    table = markdown(
        ["net, members", "steps of nets a second", "share of the peak", "note"],
        [
            [
                f"{r['net']}, {r['members']:,}",
                *(digits(r.get(key, np.nan)) for key in ("nets_a_second", "share")),
                r["note"],
            ]
            for r in pace.to_dict("records")
        ],
    )
    told = (
        f"The map of {drawn['of']:,} nets 16-16-1 ({MAP_ROWS} rows, {MAP_STEPS} steps) takes "
        f"{digits(drawn['seconds'])} s, measured on {drawn['nets']:,} of them"
    )
    if "jax_seconds" in drawn:
        told += (
            f"; in JAX on {drawn['jax']} {digits(drawn['jax_seconds'])} s. Losses of nets that "
            f"settle differ by {drawn['jax_differs']:.1e} in the median"
        )
    write(
        "gpu" if device.type == "cuda" else f"gpu_on_{device.type}",
        pd.concat([pace, differs, pd.DataFrame([drawn])]),
        f"On {name}, whose peak in float32 is {digits(most / 1e12)} TFLOP/s as torch multiplies "
        f"large matrices. Losses differ from the reference engine's by at most "
        f"{differs['differs'].max():.1e}.",
        table,
        f"{told}.",
        folder=arguments.out,
    )


if __name__ == "__main__":
    main()
